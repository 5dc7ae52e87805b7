import { describe, expect, it } from 'vitest'
import { hexDecode, hexEncode } from '../../src/base/bytes.ts'
import type { Topology, TopologyBuilder } from '../../src/index.ts'
import {
  bytes,
  nullable,
  string,
  topic,
  topology,
  tumbling,
  untilTimeLimit,
  untilWindowCloses,
} from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import golden from './golden/suppress-changelog.json' with { type: 'json' }

const input = topic('in', { key: nullable(string), value: nullable(string) })
const changelog = topic('app-sup-store-changelog', { key: bytes, value: nullable(bytes) })

const app = (define: (builder: TopologyBuilder) => void): Topology => topology('app', define)
const store = { store: 'sup-store' }

/** The topologies of the recordings. There the cache was on, which is emission on commit here. */
const topologies: Readonly<Record<keyof typeof golden, Topology>> = {
  'suppress-final-window': app((builder) => {
    builder
      .stream(input)
      .groupByKey()
      .windowedBy(tumbling({ size: 1000 }))
      .count({ store: 'win', emit: 'onCommit' })
      .suppress(untilWindowCloses(), store)
  }),
  'suppress-time-limit': app((builder) => {
    builder.table(input, { store: 'src' }).suppress(untilTimeLimit({ limit: 1000 }), store)
  }),
  'suppress-time-limit-aggregate': app((builder) => {
    builder
      .stream(input)
      .groupByKey()
      .reduce((all, value) => all + value, { store: 'red', emit: 'onCommit' })
      .filter((value) => value.length < 4)
      .suppress(untilTimeLimit({ limit: 1000 }), store)
      .mapValues((value) => value.toUpperCase(), { store: 'up', value: string })
  }),
}

describe('the changelog of a suppression', () => {
  it.each(Object.keys(golden) as (keyof typeof golden)[])(
    'holds after each record what Kafka Streams writes: %s',
    (name) => {
      const driver = testDriver(topologies[name])
      golden[name].inputs.forEach(({ key, value, timestamp, headers }, index) => {
        const given = headers.map(
          ([header, hex]) => [header as string, hex == null ? null : hexDecode(hex)] as const,
        )
        driver.input(input).pipe(key, value, { timestamp, headers: given })
        const written = driver
          .output(changelog)
          .readAll()
          .map((record) => ({
            key: hexEncode(record.key),
            value: record.value === null ? null : hexEncode(record.value),
            headers: record.headers.map(([header, content]) => [
              header,
              content === null ? null : hexEncode(content),
            ]),
          }))
        const expected = golden[name].changelog
          .filter(({ afterInput }) => afterInput === index)
          .map((record) => ({ key: record.key, value: record.value, headers: record.headers }))
        // The order between keys is that of a hash table there.
        expect(new Set(written.map((each) => JSON.stringify(each)))).toEqual(
          new Set(expected.map((each) => JSON.stringify(each))),
        )
      })
    },
  )
})
