import type { NodeOf } from '../../topology/node.ts'
import type { NodeContext } from '../node-context.ts'

type Windowed = NodeOf<'windowAggregate'> | NodeOf<'slidingAggregate'> | NodeOf<'sessionAggregate'>

/** The time up to which windows of an aggregate have closed. Records behind it are late. */
export interface CloseTime {
  /** The close time once a record of this timestamp, or an idle advance to it, has moved the stream time. */
  at(timestampMs: number): number
}

/**
 * A window closes `delayMs` (its grace, for a session its gap too) after its end in stream time, which is the aggregate's
 * own and common to all keys, as in Kafka Streams.
 *
 * The inputs of a cogroup are aggregates that share a store, each with a stream time. Where results are emitted when a
 * window closes, the slowest input decides: another one may still have records for it. Kafka Streams has no such emission.
 */
export const closeTimeFor = (context: NodeContext, node: Windowed, delayMs: number): CloseTime => {
  if (node.emit !== 'onWindowClose') return new OwnCloseTime(delayMs)
  const parts = context.topology.nodes.filter((each) => each.kind === node.kind && each.store === node.store)
  const times = context.streamTimesOf(node.store)
  for (const { name } of parts) times.set(name, -1)
  return new EmittedCloseTime(context, node, delayMs, times)
}

class OwnCloseTime implements CloseTime {
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

/** Never before the last emission, which outlives a restart: a window that was emitted stays closed. */
class EmittedCloseTime implements CloseTime {
  readonly #emitted: ReadonlyMap<string, number>
  readonly #store: string
  readonly #part: string
  readonly #delayMs: number
  readonly #times: Map<string, number>

  constructor(
    { processorMetadata }: NodeContext,
    { store, name }: Windowed,
    delayMs: number,
    times: Map<string, number>,
  ) {
    this.#emitted = processorMetadata
    this.#store = store
    this.#part = name
    this.#delayMs = delayMs
    this.#times = times
  }

  at(timestampMs: number): number {
    const times = this.#times
    if (timestampMs > (times.get(this.#part) as number)) times.set(this.#part, timestampMs)
    let slowestMs = Infinity
    for (const timeMs of times.values()) if (timeMs < slowestMs) slowestMs = timeMs
    return Math.max(slowestMs - this.#delayMs, this.#emitted.get(this.#store) ?? -Infinity)
  }
}
