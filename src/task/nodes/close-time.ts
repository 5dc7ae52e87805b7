import type { ExpiringStore } from '../../state/store.ts'
import type { NodeOf } from '../../topology/node.ts'
import type { NodeContext } from '../node-context.ts'

type Windowed = NodeOf<'windowAggregate'> | NodeOf<'slidingAggregate'> | NodeOf<'sessionAggregate'>

/** The time up to which windows of an aggregate have closed. Records behind it are late. */
export interface CloseTime {
  /** The close time once a record of this timestamp, or an idle advance to it, has moved the stream time. */
  at(timestampMs: number): number
  /** The store expires rows as if no later time had been put; Infinity where it goes by what is put. */
  readonly heldMs: number
}

/**
 * A window closes `delayMs` (its grace, for a session its gap too) after its end in stream time, which is the aggregate's
 * own and common to all keys, as in Kafka Streams.
 *
 * The inputs of a cogroup are aggregates that share a store, each with a stream time. Where results are emitted when a
 * window closes, the slowest input decides: another one may still have records for it. Kafka Streams has no such emission.
 * The store holds its time for that input too, so that no window expires before it is emitted.
 */
export const closeTimeFor = (context: NodeContext, node: Windowed, delayMs: number): CloseTime => {
  if (node.emit !== 'onWindowClose') return new OwnCloseTime(delayMs)
  const parts = context.topology.nodes.filter((each) => each.kind === node.kind && each.store === node.store)
  const times = context.streamTimesOf(node.store)
  for (const { name } of parts) times.set(name, -1)
  const store = parts.length > 1 ? context.store<ExpiringStore>(node.store) : undefined
  return new EmittedCloseTime(context, node, { delayMs, times, store })
}

class OwnCloseTime implements CloseTime {
  readonly heldMs = Infinity
  readonly #delayMs: number
  #streamTimeMs = -1

  constructor(delayMs: number) {
    this.#delayMs = delayMs
  }

  at(timestampMs: number): number {
    if (timestampMs > this.#streamTimeMs) this.#streamTimeMs = timestampMs
    return this.#streamTimeMs - this.#delayMs
  }
}

interface Inputs {
  readonly delayMs: number
  /** The stream time of each input, by node. */
  readonly times: Map<string, number>
  /** The store that several inputs share. */
  readonly store: ExpiringStore | undefined
}

/** Never before the last emission, which outlives a restart: a window that was emitted stays closed. */
class EmittedCloseTime implements CloseTime {
  heldMs: number
  readonly #emitted: ReadonlyMap<string, number>
  readonly #store: string
  readonly #part: string
  readonly #delayMs: number
  readonly #times: Map<string, number>
  readonly #held: ExpiringStore | undefined

  constructor(
    { processorMetadata }: NodeContext,
    { store: storeName, name }: Windowed,
    { delayMs, times, store }: Inputs,
  ) {
    this.#emitted = processorMetadata
    this.#store = storeName
    this.#part = name
    this.#delayMs = delayMs
    this.#times = times
    this.#held = store
    this.heldMs = store === undefined ? Infinity : -Infinity
    store?.holdTime(this.heldMs)
  }

  at(timestampMs: number): number {
    // Windows that closed at the time before were emitted then, so they may expire now.
    if (this.#held !== undefined) this.#held.holdTime((this.heldMs = this.#slowestMs()))
    const times = this.#times
    if (timestampMs > (times.get(this.#part) as number)) times.set(this.#part, timestampMs)
    return Math.max(this.#slowestMs() - this.#delayMs, this.#emitted.get(this.#store) ?? -Infinity)
  }

  #slowestMs(): number {
    let slowestMs = Infinity
    for (const timeMs of this.#times.values()) if (timeMs < slowestMs) slowestMs = timeMs
    return slowestMs
  }
}
