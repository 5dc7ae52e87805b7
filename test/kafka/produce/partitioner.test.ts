import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { hexDecode } from '../../../src/base/bytes.ts'
import { Partitioner } from '../../../src/kafka/produce/partitioner.ts'
import { murmur2 } from '../../../src/topic/murmur2.ts'

interface Golden {
  readonly keys: readonly {
    readonly bytes: string
    readonly hash: number
    readonly partitions: Readonly<Record<string, number>>
  }[]
}

const golden = JSON.parse(readFileSync(new URL('../golden/murmur2.json', import.meta.url), 'utf8')) as Golden

describe('the partitioner', () => {
  it('puts every golden key where the Java producer puts it', () => {
    expect(golden.keys.length).toBe(500)
    const partitioner = new Partitioner()
    for (const { bytes, hash, partitions } of golden.keys) {
      const key = hexDecode(bytes)
      expect(murmur2(key)).toBe(hash)
      for (const [count, partition] of Object.entries(partitions))
        expect(partitioner.partitionFor('t', Number(count), key, 0, key.length)).toBe(partition)
    }
  })

  it('hashes a key where it stands in a larger buffer', () => {
    const buffer = Buffer.from('xxfoobaryy')
    expect(new Partitioner().partitionFor('t', 12, buffer, 2, 8)).toBe(6)
  })

  it('keeps records without key in one partition until its batch is sealed', () => {
    const partitioner = new Partitioner()
    const next = (): number => partitioner.partitionFor('t', 3, null, 0, 0)
    const seen = [next(), next()]
    partitioner.batchSealed('t', seen[1] as number)
    expect([...seen, next()]).toEqual([0, 0, 1])
  })
})
