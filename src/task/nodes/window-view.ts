import type { SessionStore, WindowStore } from '../../state/store.ts'
import type { Windowed } from '../../topic/windowed.ts'
import type { TableView } from '../node-context.ts'

/** A windowed table as its followers look rows up: by windowed key. */
export const windowView = (store: WindowStore<unknown, unknown>): TableView => ({
  get: (key) => {
    const { key: inner, startMs } = key as Windowed<unknown>
    return store.fetch(inner, startMs)
  },
})

/** The same of sessions, whose rows have the time of their end. */
export const sessionView = (store: SessionStore<unknown, unknown>): TableView => ({
  get: (key) => {
    const { key: inner, startMs, endMs } = key as Windowed<unknown>
    const value = store.fetch(inner, startMs, endMs)
    return value === null ? null : { value, timestamp: endMs }
  },
})
