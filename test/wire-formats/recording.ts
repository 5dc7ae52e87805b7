import { readFileSync } from 'node:fs'
import { hexDecode, hexEncode } from '../../src/base/bytes.ts'
import type { Topology } from '../../src/index.ts'
import { bytes, nullable, string, topic } from '../../src/index.ts'
import type { TestDriver } from '../../src/testing/index.ts'
import { testDriver } from '../../src/testing/index.ts'

/** What Kafka Streams 4.3.1 read, and what it wrote: keys, values and header values in hex, topic by topic. */
export interface Recording {
  readonly inputs: readonly Input[]
  readonly topics: Readonly<Record<string, readonly Row[]>>
}

/** A record, or a time that passed on the wall: nothing here waits for that. */
type Input = InputRecord | { readonly advanceWallClockMs: number }

interface InputRecord {
  readonly topic: string
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers?: readonly (readonly [string, string | null])[]
}

interface Row {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers: readonly (readonly [string, string | null])[]
}

/** A recording by the name of its file. */
export const recording = (name: string): Recording =>
  JSON.parse(readFileSync(`${import.meta.dirname}/data/${name}.json`, 'utf8')) as Recording

/** Runs a topology over what a recording read. */
export const replayed = (name: string, app: Topology): TestDriver => {
  const driver = testDriver(app)
  for (const input of recording(name).inputs) {
    if ('advanceWallClockMs' in input) continue
    const { key, value, timestamp, headers = [] } = input
    const source = topic(input.topic, { key: nullable(string), value: nullable(string) })
    const given = headers.map(
      ([header, hex]) => [header, hex === null ? null : hexDecode(hex)] as const,
    )
    driver.input(source).pipe(key, value, { timestamp, headers: given })
  }
  return driver
}

/** What stands on a topic, as a recording has it. */
export const rowsOn = (driver: TestDriver, name: string): readonly Row[] =>
  driver
    .output({ name, key: nullable(bytes), value: nullable(bytes) })
    .readAll()
    .map(({ key, value, timestamp, headers }) => ({
      key: hexOrNull(key),
      value: hexOrNull(value),
      timestamp,
      headers: headers.map(([header, content]) => [header, hexOrNull(content)] as const),
    }))

const hexOrNull = (value: Uint8Array | null): string | null => (value === null ? null : hexEncode(value))
