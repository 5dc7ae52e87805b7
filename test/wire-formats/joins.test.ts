import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { hexDecode, hexEncode } from '../../src/base/bytes.ts'
import { bytes, nullable, string, topic, topology, within } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import type { JoinKind } from '../support/join-streams.ts'
import { joinStreams } from '../support/join-streams.ts'

/** What Kafka Streams 4.3.1 wrote: keys, values and header values in hex, topic by topic. */
interface Recorded {
  readonly about: string
  readonly inputs: readonly Input[]
  readonly topics: Readonly<Record<string, readonly object[]>>
}

type Input =
  | { readonly advanceWallClockMs: number }
  | {
      readonly topic: 'left' | 'right'
      readonly key: string | null
      readonly value: string | null
      readonly timestamp: number
      readonly headers?: readonly (readonly [string, string])[]
    }

const recorded = (kind: string): Recorded =>
  JSON.parse(readFileSync(`${import.meta.dirname}/data/join-${kind}.json`, 'utf8')) as Recorded

const left = topic('left', { key: nullable(string), value: nullable(string) })
const right = topic('right', { key: nullable(string), value: nullable(string) })
const out = topic('out', { value: string })

const windows = { inner: within(1000, { grace: 500 }), left: within(100, { grace: 50 }), outer: within(100, { grace: 50 }) }

const run = (kind: JoinKind) => {
  const driver = testDriver(
    topology('app', (builder) => {
      const joiner = (one: string | null, other: string | null): string => `${one}+${other}`
      const options = { name: 'js', windows: windows[kind] }
      joinStreams(kind, builder.stream(left), builder.stream(right), joiner, options).to(out)
    }),
  )
  for (const input of recorded(kind).inputs) {
    if ('advanceWallClockMs' in input) continue
    const headers = (input.headers ?? []).map(([name, value]) => [name, hexDecode(value)] as const)
    driver
      .input(input.topic === 'left' ? left : right)
      .pipe(input.key, input.value, { timestamp: input.timestamp, headers })
  }
  return driver
}

const hexOrNull = (value: Uint8Array | null): string | null => (value === null ? null : hexEncode(value))

describe.each(['inner', 'left', 'outer'] as const)('the bytes of a stream-stream join: %s', (kind) => {
  it.each(Object.keys(recorded(kind).topics))('%s holds what Kafka Streams writes', (name) => {
    const rows = run(kind)
      .output({ name, key: nullable(bytes), value: nullable(bytes) })
      .readAll()
      .map(({ key, value, timestamp, headers }) => ({
        key: hexOrNull(key),
        value: hexOrNull(value),
        timestamp,
        headers: headers.map(([header, content]) => [header, hexOrNull(content)]),
      }))
    const expected = recorded(kind).topics[name]?.map((row) => ({ ...row, afterInput: undefined }))
    expect(rows).toEqual(expected)
  })
})
