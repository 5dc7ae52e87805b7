import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { openMemoryStore } from '../../src/state/open-memory-store.ts'
import type { VersionedStore } from '../../src/state/store.ts'
import { string } from '../../src/topic/serdes.ts'

/**
 * What Kafka Streams 4.3.1's persistent versioned store did in 120 random sequences of puts to one key, with a history of
 * 20 ms: the value put, its time, what the put returned, and then the latest value and that of every second
 * millisecond from 38 to 82, each as `value@time`.
 */
type Put = readonly [value: string | null, timestamp: number, returned: number | string, shown: string]
const recorded = new URL('golden/versioned-kafka-streams-4.3.1.json', import.meta.url)
const sequences = JSON.parse(readFileSync(recorded, 'utf8')) as readonly (readonly Put[])[]
const times = Array.from({ length: 23 }, (_, index) => 38 + index * 2)

it('a versioned store returns and shows what Kafka Streams does, after every put', () => {
  expect(sequences).toHaveLength(120)
  for (const puts of sequences) {
    const store = openMemoryStore(definition, { append: () => undefined }, {}) as VersionedStore<
      string,
      string
    >
    const shown = puts.map(([value, timestamp]): Put => {
      const returned = store.put('k', value, timestamp)
      const records = [store.get('k'), ...times.map((time) => store.get('k', time))]
      return [value, timestamp, returned, records.map(show).join(' ')]
    })
    expect(shown).toEqual(puts)
  }
})

const definition = {
  kind: 'versioned',
  name: 'store',
  key: string,
  value: string,
  changelog: true,
  storage: 'disk',
  historyRetentionMs: 20,
} as const

const show = (record: { value: string; timestamp: number } | null): string =>
  record === null ? '-' : `${record.value}@${record.timestamp}`
