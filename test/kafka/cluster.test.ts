import { describe, expect, it } from 'vitest'
import { Fault } from '../../src/base/fault.ts'
import { Admin } from '../../src/kafka/admin.ts'
import { Cluster } from '../../src/kafka/cluster.ts'
import type { Transport } from '../../src/kafka/transport.ts'
import { coreWorld } from './support/core-world.ts'

describe('the cluster', () => {
  it('knows topics, leaders and ids once they were asked for', async () => {
    const { cluster, run } = coreWorld({ topics: [{ name: 't', partitions: 2 }] })
    expect(cluster.known('t')).toBeUndefined()
    const topic = await run(cluster.topic('t'))
    expect(topic.partitions.map(({ partition, leaderId }) => [partition, leaderId])).toEqual([
      [0, 1],
      [1, 1],
    ])
    expect(cluster.nameOf(topic.id)).toBe('t')
    expect(cluster.leaderOf('t', 1)).toMatchObject({ nodeId: 1 })
    expect(cluster.leaderOf('t', 2)).toBeUndefined()
    cluster.invalidate('t')
    expect(cluster.known('t')).toBeUndefined()
    expect(cluster.nameOf(topic.id)).toBeUndefined()
  })

  it('asks once for those who ask at the same time', async () => {
    const { cluster, run, transport } = coreWorld({ topics: [{ name: 't' }] })
    await run(Promise.all([cluster.topic('t'), cluster.topic('t'), cluster.refresh('t')]))
    expect(transport.sent.length).toBe(1)
  })

  it('asks the next broker when one is away', async () => {
    const world = coreWorld({ topics: [{ name: 't' }] })
    const asked: number[] = []
    const transport: Transport = {
      bootstrap: [{ host: 'gone', port: 1 }, ...world.transport.bootstrap],
      lostConnections: 0,
      send: (broker, lane, request) => {
        asked.push(broker.port)
        if (broker.port !== 1) return world.transport.send(broker, lane, request)
        return Promise.reject(new Fault({ code: 'BROKER_UNREACHABLE', actor: 'retry', message: 'gone' }))
      },
      disconnect: () => undefined,
      dropSilent: () => undefined,
      close: () => world.transport.close(),
    }
    const cluster = new Cluster({ transport, clock: world.clock })
    expect((await world.run(cluster.topic('t'))).name).toBe('t')
    expect(asked).toEqual([1, 9092])
  })

  it('gives up after its time when nobody answers', async () => {
    const { cluster, run, transport } = coreWorld()
    transport.isDown = true
    await expect(run(cluster.topic('t'))).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
  })

  it('waits for topics that somebody else creates', async () => {
    const { cluster, run, pass } = coreWorld()
    const other = new Admin(new Cluster({ transport: cluster.transport, clock: cluster.clock }))
    const waiting = cluster.waitForTopics(['late'], 10_000)
    await pass(500)
    await run(other.createTopics([{ topic: 'late', partitions: 2 }]))
    expect((await run(waiting)).map(({ name }) => name)).toEqual(['late'])
  })

  it('names the topic that does not come', async () => {
    const { cluster, run } = coreWorld({ topics: [{ name: 't' }] })
    await expect(run(cluster.waitForTopics(['t', 'never'], 1_000))).rejects.toMatchObject({
      code: 'TOPIC_MISSING',
      actor: 'author',
      place: { topic: 'never' },
    })
  })

  it('remembers a coordinator until it is told to forget it', async () => {
    const { cluster, run, transport } = coreWorld()
    await run(cluster.coordinator('group', 'g'))
    await run(cluster.coordinator('group', 'g'))
    expect(transport.sent.length).toBe(1)
    cluster.invalidateCoordinator('group', 'g')
    expect(await run(cluster.coordinator('group', 'g'))).toMatchObject({ port: 9092 })
    expect(transport.sent.length).toBe(2)
  })

  it('tells which features the cluster has', async () => {
    const { cluster, run } = coreWorld({ settings: { transactionVersion: 2 } })
    expect((await run(cluster.features())).get('transaction.version')).toBe(2)
  })
})
