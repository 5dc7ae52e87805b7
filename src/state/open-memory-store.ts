import type { Bytes } from '../base/bytes.ts'
import { compareBytes, copyBytes, hexEncode } from '../base/bytes.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import type { AnySerde, Serde } from '../topic/serde.ts'
import type { Windowed } from '../topic/windowed.ts'
import { windowed } from '../topic/windowed.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import type {
  ChangelogSink,
  JoinEntry,
  JoinWindowStore,
  RangeOptions,
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  ValueAndTimestamp,
  VersionedRecord,
  VersionedStore,
  WindowEntry,
  WindowStore,
} from './store.ts'

/** STOPGAP of the lead until the state helper's stores land: simple, correct, slow. */
interface Row {
  key: unknown
  bytes: Bytes
  start: number
  end: number
  value: unknown
  timestamp: number
}

class Rows {
  rows: Row[] = []
  serde: Serde<unknown>
  observed = -Infinity
  constructor(serde: AnySerde) {
    this.serde = serde as Serde<unknown>
  }
  bytesOf(key: unknown): Bytes {
    return copyBytes(this.serde.serialize(key as never))
  }
  find(key: unknown, start: number, end: number): number {
    const hex = hexEncode(this.bytesOf(key))
    return this.rows.findIndex((row) => hexEncode(row.bytes) === hex && row.start === start && row.end === end)
  }
  set(key: unknown, start: number, end: number, value: unknown, timestamp: number): void {
    const index = this.find(key, start, end)
    if (value === null || value === undefined) {
      if (index >= 0) this.rows.splice(index, 1)
      return
    }
    const row = { key, bytes: this.bytesOf(key), start, end, value, timestamp }
    if (index >= 0) this.rows[index] = row
    else this.rows.push(row)
  }
  sorted(by: (row: Row) => readonly number[]): Row[] {
    return this.rows.toSorted((left, right) => {
      const l = by(left)
      const r = by(right)
      for (let i = 0; i < l.length; i++) if (l[i] !== r[i]) return (l[i] as number) - (r[i] as number)
      return compareBytes(left.bytes, right.bytes)
    })
  }
}

const life = (name: string): StateStore => ({
  name,
  flush: () => {},
  persist: () => {},
  changelogOffset: () => 0,
  restore: (_columns: RecordColumns) => {},
  close: () => {},
})

export const openMemoryStore = (definition: StoreDefinition, changelog: ChangelogSink): StateStore => {
  const rows = new Rows(definition.key)
  const base = life(definition.name)
  const valueSerde = definition.value as Serde<unknown>
  const log = (key: Bytes, value: unknown, timestamp: number): void => {
    if (definition.changelog)
      changelog.append(definition.name, key, value === null ? null : valueSerde.serialize(value as never), timestamp)
  }
  switch (definition.kind) {
    case 'keyValue': {
      const shown = (row: Row): unknown =>
        definition.timestamped ? { value: row.value, timestamp: row.timestamp } : row.value
      const list = (options?: RangeOptions): Row[] => {
        const all = rows.sorted(() => [])
        return options?.reverse === true ? all.reverse() : all
      }
      return {
        ...base,
        get: (key: unknown) => {
          const row = rows.rows[rows.find(key, 0, 0)]
          return row === undefined ? null : shown(row)
        },
        put: (key: unknown, value: unknown, timestamp: number) => {
          rows.set(key, 0, 0, value, timestamp)
          log(rows.bytesOf(key), value, timestamp)
        },
        restore: (columns: RecordColumns) => {
          for (let i = 0; i < columns.count; i++) {
            const key = rows.serde.deserialize(
              columns.buffer,
              columns.keyStarts[i] as number,
              columns.keyEnds[i] as number,
            )
            const start = columns.valueStarts[i] as number
            const value =
              start < 0 ? null : valueSerde.deserialize(columns.buffer, start, columns.valueEnds[i] as number)
            rows.set(key, 0, 0, value, columns.timestamps[i] as number)
          }
        },
        *range(from: unknown, to: unknown, options?: RangeOptions) {
          for (const row of list(options)) {
            if (from !== undefined && compareBytes(row.bytes, rows.bytesOf(from)) < 0) continue
            if (to !== undefined && compareBytes(row.bytes, rows.bytesOf(to)) > 0) continue
            yield [row.key, shown(row)] as const
          }
        },
        *prefix(prefix: Bytes) {
          for (const row of list())
            if (hexEncode(row.bytes).startsWith(hexEncode(prefix))) yield [row.key, shown(row)] as const
        },
        *all(options?: RangeOptions) {
          for (const row of list(options)) yield [row.key, shown(row)] as const
        },
        approximateCount: () => rows.rows.length,
      } as unknown as TimestampedKeyValueStore<unknown, unknown>
    }
    case 'window': {
      const alive = (start: number): boolean => start > rows.observed - definition.retentionMs
      const entry = (row: Row): WindowEntry<unknown> => ({
        startMs: row.start,
        value: row.value,
        timestamp: row.timestamp,
      })
      const named = (row: Row): readonly [Windowed<unknown>, ValueAndTimestamp<unknown>] => [
        windowed(row.key, row.start, row.start + definition.windowSizeMs),
        { value: row.value, timestamp: row.timestamp },
      ]
      const store: WindowStore<unknown, unknown> = {
        ...base,
        windowSizeMs: definition.windowSizeMs,
        put: (key, value, start, timestamp) => {
          rows.observed = Math.max(rows.observed, start)
          if (!alive(start)) return false
          rows.set(key, start, 0, value, timestamp)
          return true
        },
        fetch: (key, start) => {
          const row = rows.rows[rows.find(key, start, 0)]
          return row === undefined || !alive(start) ? null : { value: row.value, timestamp: row.timestamp }
        },
        *fetchRange(key, from, to, options) {
          const hex = hexEncode(rows.bytesOf(key))
          const all = rows
            .sorted((row) => [row.start])
            .filter((row) => hexEncode(row.bytes) === hex && row.start >= from && row.start <= to && alive(row.start))
          for (const row of options?.reverse === true ? all.reverse() : all) yield entry(row)
        },
        *fetchAll(from, to) {
          for (const row of rows.sorted((each) => [each.start]))
            if (row.start >= from && row.start <= to && alive(row.start)) yield named(row)
        },
        *all() {
          for (const row of rows.sorted((each) => [each.start])) if (alive(row.start)) yield named(row)
        },
      }
      return store
    }
    case 'joinWindow': {
      const alive = (time: number): boolean => time > rows.observed - definition.retentionMs
      const store: JoinWindowStore<unknown, unknown> = {
        ...base,
        put: (key, value, timestamp) => {
          rows.observed = Math.max(rows.observed, timestamp)
          if (value === null || !alive(timestamp)) return
          rows.rows.push({ key, bytes: rows.bytesOf(key), start: timestamp, end: 0, value, timestamp })
        },
        *fetch(key, from, to) {
          const hex = hexEncode(rows.bytesOf(key))
          for (const row of rows.sorted((each) => [each.start]))
            if (hexEncode(row.bytes) === hex && row.start >= from && row.start <= to && alive(row.start))
              yield { value: row.value, timestamp: row.start }
        },
        *all() {
          for (const row of rows.sorted((each) => [each.start]))
            if (alive(row.start)) yield [row.key, { value: row.value, timestamp: row.start } as JoinEntry<unknown>]
        },
      }
      return store
    }
    case 'session': {
      const alive = (end: number): boolean => end > rows.observed - definition.retentionMs
      const named = (row: Row): readonly [Windowed<unknown>, unknown] => [
        windowed(row.key, row.start, row.end),
        row.value,
      ]
      const store: SessionStore<unknown, unknown> = {
        ...base,
        put: (session, value, timestamp) => {
          rows.observed = Math.max(rows.observed, session.endMs)
          if (!alive(session.endMs)) return
          rows.set(session.key, session.startMs, session.endMs, value, timestamp)
        },
        fetch: (key, start, end) => rows.rows[rows.find(key, start, end)]?.value ?? null,
        *findSessions(key, earliestEnd, latestStart) {
          const hex = hexEncode(rows.bytesOf(key))
          for (const row of rows.sorted((each) => [each.end, each.start]))
            if (
              hexEncode(row.bytes) === hex &&
              row.end >= earliestEnd &&
              row.start <= latestStart &&
              alive(row.end)
            )
              yield named(row)
        },
        *findByEnd(earliest, latest) {
          for (const row of rows.sorted((each) => [each.end, each.start]))
            if (row.end >= earliest && row.end <= latest && alive(row.end)) yield named(row)
        },
        *all() {
          for (const row of rows.sorted((each) => [each.end, each.start])) if (alive(row.end)) yield named(row)
        },
      }
      return store
    }
    case 'versioned': {
      const versions = new Map<string, { key: unknown; bytes: Bytes; list: { value: unknown; timestamp: number }[] }>()
      let observed = -Infinity
      const of = (key: unknown): { value: unknown; timestamp: number }[] => {
        const bytes = rows.bytesOf(key)
        const hex = hexEncode(bytes)
        const known = versions.get(hex)
        if (known !== undefined) return known.list
        const list: { value: unknown; timestamp: number }[] = []
        versions.set(hex, { key, bytes, list })
        return list
      }
      const show = (
        list: readonly { value: unknown; timestamp: number }[],
        index: number,
      ): VersionedRecord<unknown> | null => {
        const each = list[index]
        if (each === undefined || each.value === null) return null
        return { value: each.value, timestamp: each.timestamp, validToMs: list[index + 1]?.timestamp }
      }
      const store: VersionedStore<unknown, unknown> = {
        ...base,
        put: (key, value, timestamp) => {
          if (timestamp < observed - definition.historyRetentionMs) return 'refused'
          observed = Math.max(observed, timestamp)
          const list = of(key)
          const at = list.findIndex((each) => each.timestamp >= timestamp)
          if (at < 0) list.push({ value, timestamp })
          else if (list[at]?.timestamp === timestamp) list[at] = { value, timestamp }
          else list.splice(at, 0, { value, timestamp })
          return list.find((each) => each.timestamp > timestamp)?.timestamp ?? 'latest'
        },
        get: (key: unknown, asOf?: number) => {
          const list = of(key)
          if (asOf === undefined) return show(list, list.length - 1)
          if (asOf < observed - definition.historyRetentionMs) return null
          return show(list, list.findLastIndex((each) => each.timestamp <= asOf))
        },
        *versions(key, from = -Infinity, to = Infinity) {
          const list = of(key)
          for (let i = 0; i < list.length; i++) {
            const shown = show(list, i)
            if (shown !== null && shown.timestamp >= from && shown.timestamp <= to) yield shown
          }
        },
        *all() {
          for (const { key, list } of [...versions.values()].sort((l, r) => compareBytes(l.bytes, r.bytes))) {
            const shown = show(list, list.length - 1)
            if (shown !== null) yield [key, shown] as const
          }
        },
      }
      return store
    }
  }
}
