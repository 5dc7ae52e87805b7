import type { SessionStore, WindowStore } from '../../state/store.ts'
import { StreamRecord } from '../../topic/record.ts'
import type { Windowed } from '../../topic/windowed.ts'
import { windowed } from '../../topic/windowed.ts'
import type { AnyRecord, NodeOf } from '../../topology/node.ts'
import type { Emit, NodeContext } from '../node-context.ts'
import { changeOf } from '../node-context.ts'

/**
 * Emission when windows close, ordered by end, then start, then key. What has closed is looked up before the record is
 * put, as that may move the store's own time so far that closed windows are gone; the returned function tells it, once
 * the record has been put. A record that fails in between leaves the telling to the next.
 */
export type CollectClosed = (closeTimeMs: number) => TellClosed
/** `cause` is the record that moved stream time, if one did. */
export type TellClosed = (emit: Emit, cause?: AnyRecord) => void

interface Closed {
  readonly key: Windowed<unknown>
  readonly value: unknown
  readonly timestamp: number
}

/**
 * Closed tumbling, hopping or sliding windows. `closesAtEnd` says whether a window that ends at the close time has
 * closed: time windows, whose ends are exclusive, have; sliding windows have not. As in Kafka Streams, a window that the
 * record has pushed out of retention is not told: longer retention keeps results over a jump of stream time.
 */
export const closedWindows = (
  context: NodeContext,
  node: NodeOf<'windowAggregate'> | NodeOf<'slidingAggregate'>,
  store: WindowStore<unknown, unknown>,
  { sizeMs, closesAtEnd }: { readonly sizeMs: number; readonly closesAtEnd: boolean },
  largestStartMs: () => number,
): CollectClosed | undefined => {
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
  return collector(
    context,
    node.store,
    closedBetween,
    ({ key }) => key.startMs >= largestStartMs() - node.retentionMs,
  )
}

/** The same for sessions, which close when their end lies before the close time; none of them is lost. */
export const closedSessions = (
  context: NodeContext,
  node: NodeOf<'sessionAggregate'>,
  store: SessionStore<unknown, unknown>,
): CollectClosed | undefined => {
  if (node.emit !== 'onWindowClose') return undefined
  const closedBetween = function* (lastCloseTimeMs = 0, closeTimeMs: number): Iterable<Closed> {
    for (const [key, value] of store.findByEnd(lastCloseTimeMs, closeTimeMs - 1))
      yield { key, value, timestamp: key.endMs }
  }
  return collector(context, node.store, closedBetween, () => true)
}

/**
 * The close time of the last emission outlives a restart: it is committed beside the offsets under the store's name, as
 * Kafka Streams does, so that no window is told twice.
 */
const collector =
  (
    { processorMetadata }: NodeContext,
    store: string,
    closedBetween: (lastCloseTimeMs: number | undefined, closeTimeMs: number) => Iterable<Closed>,
    isKept: (closed: Closed) => boolean,
  ): CollectClosed =>
  (closeTimeMs) => {
    const lastCloseTimeMs = processorMetadata.get(store)
    if (closeTimeMs <= (lastCloseTimeMs ?? 0)) return () => {}
    const closed = [...closedBetween(lastCloseTimeMs, closeTimeMs)]
    return (emit, cause) => {
      processorMetadata.set(store, closeTimeMs)
      for (const each of closed) if (isKept(each)) emit.next(resultOf(each, cause))
    }
  }

const resultOf = ({ key, value, timestamp }: Closed, cause: AnyRecord | undefined): AnyRecord =>
  StreamRecord.of(key, changeOf(value, null), timestamp, cause?.headers, cause?.origin)
