import { expect, it } from 'vitest'
import type {
  KeyValueStore,
  SessionStore,
  Supplier,
  TimestampedKeyValueStore,
  WindowStore,
} from '../../src/index.ts'
import {
  keyValueStore,
  nullable,
  sessionStore,
  string,
  topic,
  topology,
  windowed,
  windowStore,
} from '../../src/index.ts'
import { recording, replayed, rowsOn } from './recording.ts'

/** What the recorded processor does with each record. */
const keep: Supplier<string, string | null, never, never> = (context) => {
  const plain = context.store<KeyValueStore<string, string>>('kv')
  const timestamped = context.store<TimestampedKeyValueStore<string, string>>('tkv')
  const windows = context.store<WindowStore<string, string>>('win')
  const sessions = context.store<SessionStore<string, string>>('ses')
  return {
    process: ({ key, value, timestamp }) => {
      plain.put(key, value, timestamp)
      // A deletion has no time of its own.
      timestamped.put(key, value, value === null ? timestamp : timestamp + 7)
      windows.put(key, value, timestamp, timestamp)
      sessions.put(windowed(key, timestamp - 100, timestamp), value, timestamp)
    },
  }
}

const app = topology('app', (builder) => {
  builder.store(keyValueStore('kv', { value: string }))
  builder.store(keyValueStore('tkv', { value: string, timestamped: true }))
  builder.store(windowStore('win', { value: string, size: 1000, retention: 60_000 }))
  builder.store(sessionStore('ses', { value: string, retention: 60_000 }))
  builder
    .stream(topic('in', { value: nullable(string) }))
    .process(keep, { name: 'keep', stores: ['kv', 'tkv', 'win', 'ses'] })
})

it.each(['app-kv-changelog', 'app-tkv-changelog', 'app-win-changelog', 'app-ses-changelog'])(
  "%s holds what a processor's store of Kafka Streams writes",
  (name) => {
    expect(rowsOn(replayed('kv-plain-store', app), name)).toEqual(recording('kv-plain-store').topics[name])
  },
)
