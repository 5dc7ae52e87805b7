import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/system-clock.ts'
import { Admin } from '../../../src/kafka/admin.ts'
import { Cluster } from '../../../src/kafka/cluster.ts'
import { Fetcher } from '../../../src/kafka/fetcher.ts'
import { Producer } from '../../../src/kafka/producer.ts'
import { TcpTransport } from '../../../src/kafka/connection/tcp-transport.ts'
import { kafkaBrokers, uniqueName } from '../../support/kafka/kafka-brokers.ts'
import { rowsOf } from '../support/rows.ts'

/** Processes that are killed in the middle of their transactions, on Apache Kafka: each record once, in order. */
const partitions = 4
const recordCount = 20_000
const copier = fileURLToPath(new URL('../support/copier.ts', import.meta.url))

describe('copiers that are killed again and again', () => {
  it('copy each record once and in order', async () => {
    const transport = new TcpTransport({ brokers: kafkaBrokers(), clientId: 'killer' })
    const cluster = new Cluster({ transport, clock: systemClock })
    const [input, output, groupId] = [uniqueName('in'), uniqueName('out'), uniqueName('copiers')]
    await new Admin(cluster).createTopics([input, output].map((topic) => ({ topic, partitions })))
    await fill(cluster, input)

    const start = (slot: string): ChildProcess =>
      spawn(process.execPath, [copier, kafkaBrokers(), slot, groupId, input, output, `${partitions}`])
    const running = new Map(['0', '1'].map((slot) => [slot, start(slot)]))
    try {
      const copied = Array.from({ length: partitions }, (): string[] => [])
      const copying = readCommitted(cluster, output, copied)
      let kills = 0
      let seenCount = 0
      while ((await Promise.race([copying, wait(1_500, 'still copying')])) === 'still copying') {
        // On a slow machine a process that is killed by the clock would never come to copy anything.
        const count = copied.flat().length
        if (count === seenCount && kills >= running.size) continue
        seenCount = count
        const slot = `${kills++ % 2}`
        running.get(slot)?.kill('SIGKILL')
        running.set(slot, start(slot))
      }
      await copying
      expect(kills, 'kills while it copied').toBeGreaterThan(2)
      for (const values of copied) expect(values).toEqual(expectedValues)
    } finally {
      for (const child of running.values()) child.kill('SIGKILL')
      await transport.close()
    }
  })
})

const expectedValues = Array.from({ length: recordCount / partitions }, (_, index) => `${index}`)

const fill = async (cluster: Cluster, topic: string): Promise<void> => {
  const producer = new Producer({ cluster, batchBytes: 200 })
  await producer.prepare([topic])
  for (let index = 0; index < recordCount; index++) {
    if (producer.isFull) await producer.drained()
    const value = Buffer.from(`${Math.floor(index / partitions)}`)
    producer.send(topic, index % partitions, Buffer.from('k'), value, Date.now())
  }
  await producer.flush()
}

/** Adds what a reader of committed data sees of each partition; ends once as much has come as went in. */
const readCommitted = async (cluster: Cluster, topic: string, copied: readonly string[][]): Promise<void> => {
  const fetcher = new Fetcher({ cluster, isolation: 'read_committed' })
  fetcher.assign(copied.map((_, partition) => ({ topic, partition, offset: 'earliest' })))
  while (copied.some(({ length }) => length < recordCount / partitions))
    for (const batch of await fetcher.poll(1_000))
      copied[batch.partition]?.push(...rowsOf(batch).map(({ value }) => value ?? ''))
  // A doubled record would come now.
  for (const batch of await fetcher.poll(2_000))
    copied[batch.partition]?.push(...rowsOf(batch).map(({ value }) => value ?? ''))
  fetcher.close()
}
