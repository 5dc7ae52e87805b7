import type { SessionStore, WindowStore } from '../../state/store.ts'
import { StreamRecord } from '../../topic/record.ts'
import type { Windowed } from '../../topic/windowed.ts'
import { windowed } from '../../topic/windowed.ts'
import type { AnyRecord, NodeOf } from '../../topology/node.ts'
import type { NodeContext } from '../node-context.ts'
import type { Emit } from '../step.ts'
import { changeOf } from '../node-context.ts'

/**
 * Emits the windows that have closed since it was last called, ordered by end, then start, then key. `cause` is the
 * record that moved stream time, if one did.
 */
export type EmitClosed = (emit: Emit, closeTimeMs: number, cause?: AnyRecord) => void

interface Closed {
  readonly key: Windowed<unknown>
  readonly value: unknown
  readonly timestamp: number
}

/**
 * Closed tumbling, hopping or sliding windows. `closesAtEnd` says whether a window that ends at the close time has
 * closed: time windows, whose ends are exclusive, have; sliding windows have not.
 */
export const closedWindows = (
  context: NodeContext,
  node: NodeOf<'windowAggregate'> | NodeOf<'slidingAggregate'>,
  store: WindowStore<unknown, unknown>,
  { sizeMs, closesAtEnd }: { readonly sizeMs: number; readonly closesAtEnd: boolean },
): EmitClosed | undefined => {
  if (node.emit !== 'onWindowClose') return undefined
  const lastStartMs = (closeTimeMs: number): number => closeTimeMs - sizeMs - (closesAtEnd ? 0 : 1)
  const closedBetween = function* (
    lastCloseTimeMs: number | undefined,
    closeTimeMs: number,
  ): Iterable<Closed> {
    const from = lastCloseTimeMs === undefined ? 0 : lastStartMs(lastCloseTimeMs) + 1
    for (const [{ key, startMs }, row] of store.fetchAll(Math.max(0, from), lastStartMs(closeTimeMs)))
      yield { key: windowed(key, startMs, startMs + sizeMs), value: row.value, timestamp: row.timestamp }
  }
  return closedEmitter(context, node.store, closedBetween)
}

/**
 * Windows leave before the record that closes them is added, because that update may expire them: a window is emitted
 * even if stream time jumps over its retention. Kafka Streams does this by its record cache, and loses them without it.
 */
export const closesBeforeUpdate = ({ host }: NodeContext): boolean => host.withoutRecordCache !== true

/**
 * The same for sessions, which close when their end lies before the close time. They leave after the record that closes
 * them was added. Look-ups no longer find those that this record expires, but the store keeps them for this walk.
 */
export const closedSessions = (
  context: NodeContext,
  node: NodeOf<'sessionAggregate'>,
  store: SessionStore<unknown, unknown>,
): EmitClosed | undefined => {
  if (node.emit !== 'onWindowClose') return undefined
  const closedBetween = function* (lastCloseTimeMs = 0, closeTimeMs: number): Iterable<Closed> {
    for (const [key, value] of store.findByEnd(lastCloseTimeMs, closeTimeMs - 1))
      yield { key, value, timestamp: key.endMs }
  }
  return closedEmitter(context, node.store, closedBetween)
}

/**
 * The close time of the last emission outlives a restart: it is committed beside the offsets under the store's name, as
 * Kafka Streams does, so that no window is emitted twice.
 */
const closedEmitter =
  (
    context: NodeContext,
    store: string,
    closedBetween: (lastCloseTimeMs: number | undefined, closeTimeMs: number) => Iterable<Closed>,
  ): EmitClosed =>
  (emit, closeTimeMs, cause) => {
    const { processorMetadata } = context
    const lastCloseTimeMs = processorMetadata.get(store)
    if (closeTimeMs <= (lastCloseTimeMs ?? 0)) return
    const closed = [...closedBetween(lastCloseTimeMs, closeTimeMs)]
    processorMetadata.set(store, closeTimeMs)
    for (const each of closed) context.emitEarlier(emit, resultOf(each, cause))
  }

const resultOf = ({ key, value, timestamp }: Closed, cause: AnyRecord | undefined): AnyRecord =>
  StreamRecord.of(key, changeOf(value, null), timestamp, cause?.headers, cause?.origin)
