import { describe, expect, it } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { millraceHere } from '../support/run-command.ts'
import { TopicClient } from '../support/topic-client.ts'
import { consoleSuite } from './console.suite.ts'

describe('millrace on Apache Kafka', () => {
  consoleSuite(kafkaBrokers, uniqueName)

  it("deletes no topic of Kafka's own, such as the offsets of all groups", async () => {
    await using client = new TopicClient(kafkaBrokers())
    const group = uniqueName('group')
    const topic = uniqueName('read')
    await client.create({ name: topic })
    await client.admin.alterGroupOffsets(group, [{ topic, partition: 0, offset: 0 }])
    const deletion = ['topics', '--delete', '--topic', '__consumer_offsets']
    const { code, stderr } = await millraceHere([...deletion, '--bootstrap-server', kafkaBrokers()])
    expect(code).toBe(1)
    expect(stderr).toMatch(/'__consumer_offsets' belongs to Kafka itself.*groups --delete/)
    expect((await client.admin.groupOffsets(group)).size).toBe(1)
  })
})
