import type { SessionStore, WindowStore } from '../../state/store.ts'
import { StreamRecord } from '../../topic/record.ts'
import type { Windowed } from '../../topic/windowed.ts'
import { windowed } from '../../topic/windowed.ts'
import type { AnyRecord, NodeOf } from '../../topology/node.ts'
import type { Emit, NodeContext } from '../node-context.ts'
import { changeOf } from '../node-context.ts'

/**
 * Tells the windows that have closed since it was last called, ordered by end, then start, then key. `cause` is the
 * record that moved stream time, if one did.
 */
export type EmitClosed = (emit: Emit, cause: AnyRecord | undefined, closeTimeMs: number) => void

interface Closed {
  readonly key: Windowed<unknown>
  readonly value: unknown
  readonly timestamp: number
}

/**
 * Emission of closed tumbling, hopping or sliding windows. `closesAtEnd` says whether a window that ends at the close
 * time has closed: time windows, whose ends are exclusive, have; sliding windows have not.
 */
export const emitsClosedWindows = (
  context: NodeContext,
  node: NodeOf<'windowAggregate'> | NodeOf<'slidingAggregate'>,
  store: WindowStore<unknown, unknown>,
  { sizeMs, closesAtEnd }: { readonly sizeMs: number; readonly closesAtEnd: boolean },
): EmitClosed | undefined => {
  if (node.emit !== 'onWindowClose') return undefined
  const lastStartMs = (closeTimeMs: number): number => closeTimeMs - sizeMs - (closesAtEnd ? 0 : 1)
  return emitsClosed(context, node.store, function* (lastCloseTimeMs, closeTimeMs) {
    const from = lastCloseTimeMs === undefined ? 0 : lastStartMs(lastCloseTimeMs) + 1
    for (const [{ key, startMs }, row] of store.fetchAll(Math.max(0, from), lastStartMs(closeTimeMs)))
      yield { key: windowed(key, startMs, startMs + sizeMs), ...row }
  })
}

/** The same for sessions, which close when their end lies before the close time. */
export const emitsClosedSessions = (
  context: NodeContext,
  node: NodeOf<'sessionAggregate'>,
  store: SessionStore<unknown, unknown>,
): EmitClosed | undefined =>
  node.emit === 'onWindowClose'
    ? emitsClosed(context, node.store, function* (lastCloseTimeMs = 0, closeTimeMs) {
        for (const [key, value] of store.findByEnd(lastCloseTimeMs, closeTimeMs - 1))
          yield { key, value, timestamp: key.endMs }
      })
    : undefined

/**
 * The close time of the last emission outlives a restart: it is committed beside the offsets under the store's name, as
 * Kafka Streams does, so that no window is told twice.
 */
const emitsClosed = (
  { processorMetadata }: NodeContext,
  store: string,
  closedBetween: (lastCloseTimeMs: number | undefined, closeTimeMs: number) => Iterable<Closed>,
): EmitClosed => {
  return (emit, cause, closeTimeMs) => {
    const lastCloseTimeMs = processorMetadata.get(store)
    if (closeTimeMs <= (lastCloseTimeMs ?? 0)) return
    processorMetadata.set(store, closeTimeMs)
    for (const { key, value, timestamp } of [...closedBetween(lastCloseTimeMs, closeTimeMs)])
      emit.next(StreamRecord.of(key, changeOf(value, null), timestamp, cause?.headers, cause?.origin))
  }
}
