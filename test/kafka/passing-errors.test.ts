import { describe, expect, it } from 'vitest'
import { Admin } from '../../src/kafka/admin.ts'
import { commitOffsets, fetchOffsets, noGeneration } from '../../src/kafka/group/offsets.ts'
import { listOffsets } from '../../src/kafka/list-offsets.ts'
import { TransactionalProducer } from '../../src/kafka/transaction/transactional-producer.ts'
import type { CoreWorld } from './support/core-world.ts'
import { coreWorld } from './support/core-world.ts'

/** Errors that a cluster answers while it has not heard of something yet, and which pass by themselves. */
const failOnce = (world: CoreWorld, apiName: string): void => {
  let left = 1
  world.core.onRequest(apiName, () =>
    left-- > 0 ? { kind: 'error', error: 'UNKNOWN_TOPIC_OR_PARTITION' } : undefined,
  )
}

const place = { topic: 't', partition: 0 }
const offsets = [{ ...place, offset: 3 }]

describe('a broker that has not heard of a topic yet', () => {
  it('is asked again for offsets', async () => {
    const world = coreWorld({ topics: [{ name: 't' }] })
    failOnce(world, 'ListOffsets')
    const listed = await world.run(listOffsets(world.cluster, [{ ...place, at: 'latest' }]))
    expect(listed.get('t-0')?.offset).toBe(0)
  })

  it('is asked again where what was known of a topic is forgotten while another is asked about', async () => {
    const world = coreWorld({ topics: [{ name: 't' }, { name: 'other' }] })
    await world.run(world.cluster.topic('t'))
    const listing = listOffsets(world.cluster, [
      { ...place, at: 'latest' },
      { ...place, topic: 'other', at: 'latest' },
    ])
    world.cluster.invalidate('t')
    expect([...(await world.run(listing)).keys()].toSorted()).toEqual(['other-0', 't-0'])
  })

  it('is asked again to delete records', async () => {
    const world = coreWorld({ topics: [{ name: 't' }] })
    failOnce(world, 'DeleteRecords')
    const deleted = await world.run(new Admin(world.cluster).deleteRecords([{ ...place, offset: 0 }]))
    expect(deleted.get('t-0')).toBe(0)
  })

  it('is asked again to commit', async () => {
    const world = coreWorld({ topics: [{ name: 't' }] })
    failOnce(world, 'OffsetCommit')
    await world.run(commitOffsets(world.cluster, 'g', noGeneration, offsets))
    expect((await world.run(fetchOffsets(world.cluster, 'g'))).get('t-0')?.offset).toBe(3)
  })

  it('is asked again in a transaction', async () => {
    const world = coreWorld({ topics: [{ name: 't' }] })
    failOnce(world, 'AddPartitionsToTxn')
    failOnce(world, 'TxnOffsetCommit')
    const tx = new TransactionalProducer({ cluster: world.cluster, transactionalId: 'tx' })
    await world.run(tx.initialize())
    await world.run(tx.producer.prepare(['t']))
    tx.producer.send('t', 0, null, Buffer.from('a'), 1)
    await world.run(tx.commit({ groupId: 'g', generation: noGeneration, offsets }))
    expect(await world.readAll('t')).toHaveLength(1)
  })

  it('is believed when the cluster itself does not know the topic', async () => {
    const world = coreWorld()
    await expect(world.run(listOffsets(world.cluster, [{ ...place, at: 'latest' }]))).rejects.toMatchObject({
      code: 'TOPIC_MISSING',
      actor: 'author',
    })
  })
})
