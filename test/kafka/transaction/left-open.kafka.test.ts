import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/system-clock.ts'
import { Admin } from '../../../src/kafka/admin.ts'
import { Cluster } from '../../../src/kafka/cluster.ts'
import { TcpTransport } from '../../../src/kafka/connection/tcp-transport.ts'
import { fetchOffsets, noGeneration } from '../../../src/kafka/group/offsets.ts'
import { Producer } from '../../../src/kafka/producer.ts'
import { TransactionalProducer } from '../../../src/kafka/transaction/transactional-producer.ts'
import { string, topic } from '../../../src/index.ts'
import { startKafka } from '../../support/kafka/start-kafka.ts'
import { TopicClient } from '../../support/topic-client.ts'

/**
 * A broker that is alone comes back from a crash, and finds a transaction that has taken too long meanwhile. Apache Kafka
 * 4.3.1 then aborts it without telling its partitions (KAFKA-20734): it looks for their leaders in the moment in which its
 * own old session ends, and there are none. The settings make sure that this is the moment.
 */
const forgetful = {
  'broker.session.timeout.ms': '6000',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
}
const timeoutMs = 2_000
const groupId = 'g'

describe('a transaction that the broker leaves open', () => {
  it('is aborted by the next producer of its name: nobody sees it, and others are seen again', async () => {
    await using kafka = await startKafka({ exclusive: true, properties: forgetful })
    const connected = (clientId: string): Cluster =>
      new Cluster({
        transport: new TcpTransport({ brokers: kafka.brokers, clientId }),
        clock: systemClock,
      })
    const warnings: string[] = []
    const producerOn = (cluster: Cluster): TransactionalProducer =>
      new TransactionalProducer({
        ...{ cluster, groupId, transactionalId: 'tx', transactionTimeoutMs: timeoutMs },
        onRetry: ({ message }) => warnings.push(message),
      })
    const offsetsAt = (offset: number) => ({
      groupId,
      generation: noGeneration,
      offsets: [{ topic: 'in', partition: 0, offset }],
    })

    const first = connected('first')
    await new Admin(first).createTopics(['in', 'out'].map((name) => ({ topic: name, partitions: 2 })))
    const dying = producerOn(first)
    await dying.producer.prepare(['out'])
    await dying.initialize()
    dying.producer.send('out', 0, null, Buffer.from('committed'), Date.now())
    await dying.commit(offsetsAt(1))
    for (const partition of [0, 1])
      dying.producer.send('out', partition, null, Buffer.from('aborted'), Date.now())
    await dying.producer.flush()
    await kafka.kill('SIGKILL')
    dying.close()
    await first.transport.close()
    await wait(timeoutMs)
    await kafka.restart()

    const second = connected('second')
    const next = producerOn(second)
    await next.producer.prepare(['out'])
    await next.initialize()
    next.producer.send('out', 0, null, Buffer.from('next'), Date.now())
    await next.commit(offsetsAt(2))

    const other = new Producer({ cluster: second, name: 'other' })
    await other.prepare(['out'])
    other.send('out', 1, null, Buffer.from('other'), Date.now())
    await other.flush()

    const { offset } = (
      await fetchOffsets(second, groupId, { requireStable: true, partitions: offsetsAt(0).offsets })
    ).get('in-0') ?? { offset: -1 }
    expect(offset).toBe(2)
    await using reader = new TopicClient(kafka.brokers)
    const seen = await reader.readUntil(topic('out', { value: string }), ({ length }) => length >= 3, 15_000)
    expect(seen.map(({ value }) => value)).toEqual(['committed', 'next', 'other'])
    // Where this is 0, Apache Kafka has been fixed, and so can be what fixes it here.
    expect(warnings.filter((message) => message.includes('left it open'))).toHaveLength(1)
    await second.transport.close()
  }, 120_000)
})
