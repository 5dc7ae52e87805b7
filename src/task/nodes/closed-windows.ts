import type { SessionStore, WindowStore } from '../../state/store.ts'
import { windowed } from '../../topic/windowed.ts'
import type { AnyRecord, NodeOf } from '../../topology/node.ts'
import type { Emit, NodeContext } from '../node-context.ts'
import { changeOf } from '../node-context.ts'

/** Tells the windows that closed since it was last called; a record caused it. */
export type EmitClosed = (emit: Emit, cause: AnyRecord, closeTimeMs: number) => void

/**
 * Emission when windows close, ordered by end, then start, then key. `closesAtEnd` says whether a window that ends at
 * the close time has closed: time windows, whose ends are exclusive, have; sliding windows have not.
 */
export const emitsClosedWindows = (
  _context: NodeContext,
  node: NodeOf<'windowAggregate'> | NodeOf<'slidingAggregate'>,
  store: WindowStore<unknown, unknown>,
  { sizeMs, closesAtEnd }: { readonly sizeMs: number; readonly closesAtEnd: boolean },
): EmitClosed | undefined => {
  if (node.emit !== 'onWindowClose') return undefined
  let nextStartMs = 0
  return (emit, cause, closeTimeMs) => {
    const lastStartMs = closeTimeMs - sizeMs - (closesAtEnd ? 0 : 1)
    if (lastStartMs < nextStartMs) return
    const closed = [...store.fetchAll(nextStartMs, lastStartMs)]
    nextStartMs = lastStartMs + 1
    for (const [{ key, startMs }, { value, timestamp }] of closed)
      emit.next(
        cause
          .withKeyValue(windowed(key, startMs, startMs + sizeMs), changeOf(value, null))
          .withTimestamp(timestamp),
      )
  }
}

/** The same for sessions, which close when their end lies before the close time. */
export const emitsClosedSessions = (
  _context: NodeContext,
  node: NodeOf<'sessionAggregate'>,
  store: SessionStore<unknown, unknown>,
): EmitClosed | undefined => {
  if (node.emit !== 'onWindowClose') return undefined
  let nextEndMs = 0
  return (emit, cause, closeTimeMs) => {
    if (closeTimeMs - 1 < nextEndMs) return
    const closed = [...store.findByEnd(nextEndMs, closeTimeMs - 1)]
    nextEndMs = closeTimeMs
    for (const [session, value] of closed)
      emit.next(cause.withKeyValue(session, changeOf(value, null)).withTimestamp(session.endMs))
  }
}
