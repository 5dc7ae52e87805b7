import { describe, expect, it } from 'vitest'
import { Producer } from '../../src/kafka/producer.ts'
import { TransactionalProducer } from '../../src/kafka/transaction/transactional-producer.ts'
import type { RestoreProgress } from '../../src/runtime/restore.ts'
import { Restorer } from '../../src/runtime/restore.ts'
import { openMemoryStore } from '../../src/state/open-memory-store.ts'
import type { StateStore } from '../../src/state/store.ts'
import { bigLong, string } from '../../src/topic/serdes.ts'
import type { CoreWorld } from '../kafka/support/core-world.ts'
import { coreWorld } from '../kafka/support/core-world.ts'

const changelog = 'app-counts-changelog'
const never = new AbortController().signal

/** A store that notes the offsets it is restored from. */
const notingStore = (
  changelogOffset = 0,
  keepsLatest = false,
): StateStore & { readonly restored: readonly number[] } => {
  const restored: number[] = []
  const store: Partial<StateStore> & { readonly restored: readonly number[] } = {
    name: 'counts',
    keepsLatest,
    restored,
    changelogOffset: () => changelogOffset,
    restore: ({ offsets, count }) => void restored.push(...offsets.subarray(0, count)),
  }
  return store as StateStore & { readonly restored: readonly number[] }
}

const transactional = async (world: CoreWorld, transactionalId: string): Promise<TransactionalProducer> => {
  const producer = new TransactionalProducer({ cluster: world.cluster, transactionalId })
  await world.run(producer.initialize())
  await world.run(producer.producer.prepare([changelog]))
  return producer
}

const append = (producer: Producer, value: string): void =>
  producer.send(changelog, 0, Buffer.from('k'), Buffer.from(value), 1)

const restorerOf = (world: CoreWorld, onProgress: (progress: RestoreProgress) => void = () => {}): Restorer =>
  new Restorer({ cluster: world.cluster, onProgress })

describe('a restoration', () => {
  it('begins where the state on disk left off, and tells both ends', async () => {
    const world = coreWorld({ topics: [{ name: changelog, partitions: 1 }] })
    const producer = new Producer({ cluster: world.cluster })
    await world.run(producer.prepare([changelog]))
    for (const value of ['1', '2', '3']) append(producer, value)
    await world.run(producer.flush())
    const store = notingStore(1)
    const told: RestoreProgress[] = []
    const restorer = restorerOf(world, (progress) => told.push(progress))
    await world.run(restorer.restore([{ store, topic: changelog, partition: 0 }], never))
    restorer.close()
    expect(store.restored).toEqual([1, 2])
    const ends = { store: 'counts', partition: 0, startingOffset: 1, endingOffset: 3 }
    expect(told).toMatchObject([
      { ...ends, restoredRecords: 0, remainingRecords: 2 },
      { ...ends, restoredRecords: 2, remainingRecords: 0 },
    ])
  })

  it.each([
    {
      keepsLatest: true,
      what: 'the last record of each key to a store that keeps no other',
      restored: [4, 5],
    },
    { keepsLatest: false, what: 'every record to a store of versions', restored: [0, 1, 2, 3, 4, 5] },
  ])('gives $what', async ({ keepsLatest, restored }) => {
    const world = coreWorld({ topics: [{ name: changelog, partitions: 1 }] })
    const producer = new Producer({ cluster: world.cluster, batchBytes: 1 })
    await world.run(producer.prepare([changelog]))
    for (const key of ['a', 'b', 'a', 'b', 'a', 'b'])
      producer.send(changelog, 0, Buffer.from(key), Buffer.from('1'), 1)
    await world.run(producer.flush())
    const store = notingStore(0, keepsLatest)
    const told: number[] = []
    const restorer = restorerOf(world, ({ restoredRecords }) => told.push(restoredRecords))
    await world.run(restorer.restore([{ store, topic: changelog, partition: 0 }], never))
    restorer.close()
    expect(store.restored).toEqual(restored)
    expect(told.at(-1)).toBe(6)
  })

  it('names the offset and the key of a record that its store cannot read', async () => {
    const world = coreWorld({ topics: [{ name: changelog, partitions: 1 }] })
    const producer = new Producer({ cluster: world.cluster })
    await world.run(producer.prepare([changelog]))
    for (const [key, value] of [
      ['ada', '12345678'],
      ['bob', 'no long'],
    ] as const)
      producer.send(changelog, 0, Buffer.from(key), Buffer.from(value), 1)
    await world.run(producer.flush())
    const store = openMemoryStore(
      {
        kind: 'keyValue',
        timestamped: false,
        name: 'counts',
        key: string,
        value: bigLong,
        changelog: true,
        storage: 'memory',
      },
      { append: () => undefined },
    )
    const restorer = restorerOf(world)
    const failed = restorer
      .restore([{ store, topic: changelog, partition: 0 }], never)
      .catch((error: unknown) => error)
    const fault = await world.run(failed)
    restorer.close()
    expect(fault).toMatchObject({
      code: 'RESTORE_FAILED',
      place: { store: 'counts', topic: changelog, partition: 0, offset: 1 },
      contents: { key: '"bob"' },
    })
    expect(String(fault)).toContain('7 bytes are not a bigLong of 8 bytes')
  })

  it('waits for the transaction of an owner that hangs, as a later owner has written behind it', async () => {
    const world = coreWorld({ topics: [{ name: changelog, partitions: 1 }] })
    const hanging = await transactional(world, 'first-owner')
    const later = await transactional(world, 'second-owner')
    append(hanging.producer, 'never final')
    hanging.producer.sendNow()
    await world.pass(100)
    append(later.producer, '1')
    await world.run(later.commit())
    const store = notingStore()
    let isOver = false
    const restorer = restorerOf(world)
    const restoring = restorer
      .restore([{ store, topic: changelog, partition: 0 }], never)
      .then(() => (isOver = true))
    await world.pass(2_000)
    expect(isOver).toBe(false)
    await world.run(hanging.abort())
    await world.run(restoring)
    restorer.close()
    expect(store.restored).toEqual([1])
  })

  it('that is stopped keeps what it has done, and the next one goes on from there', async () => {
    const world = coreWorld({ topics: [{ name: changelog, partitions: 1 }] })
    const producer = new Producer({ cluster: world.cluster, batchBytes: 1 })
    await world.run(producer.prepare([changelog]))
    const total = 4_000
    for (let value = 0; value < total; value++) append(producer, 'x'.repeat(1_000))
    await world.run(producer.flush())
    const stop = new AbortController()
    const store = notingStore()
    const restorer = restorerOf(world, ({ restoredRecords }) => {
      if (restoredRecords > 0) stop.abort()
    })
    await world.run(restorer.restore([{ store, topic: changelog, partition: 0 }], stop.signal))
    const done = store.restored.length
    expect(done).toBeGreaterThan(0)
    expect(done).toBeLessThan(total)
    const rest = notingStore(done)
    await world.run(restorer.restore([{ store: rest, topic: changelog, partition: 0 }], never))
    restorer.close()
    expect([...store.restored, ...rest.restored]).toEqual(
      Array.from({ length: total }, (_, offset) => offset),
    )
  })
})
