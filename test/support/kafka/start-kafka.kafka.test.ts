import { connect } from 'node:net'
import { Kafka, logLevel, type Admin } from 'kafkajs'
import { expect, test } from 'vitest'
import { runProcess } from '../run-process.ts'
import { startKafka } from './start-kafka.ts'

const withAdmin = async <T>(brokers: string, work: (admin: Admin) => Promise<T>): Promise<T> => {
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

const createTopic = (brokers: string, topic: string): Promise<boolean> =>
  withAdmin(brokers, (admin) => admin.createTopics({ topics: [{ topic }], waitForLeaders: true }))

const isListening = (brokers: string): Promise<boolean> =>
  new Promise((resolve) => {
    const [host = '', port] = brokers.split(':')
    const socket = connect(Number(port), host)
    const answer = (listening: boolean) => (): void => {
      socket.destroy()
      resolve(listening)
    }
    socket.once('connect', answer(true)).once('error', answer(false))
  })

test('a broker that is killed is gone, and comes back at its address with its data', async () => {
  await using kafka = await startKafka({ exclusive: true })
  await createTopic(kafka.brokers, 'kept')
  await kafka.kill('SIGKILL')
  await expect.poll(() => isListening(kafka.brokers)).toBe(false)
  await kafka.restart()
  expect(await withAdmin(kafka.brokers, (admin) => admin.listTopics())).toContain('kept')
})

test('a broker takes the properties of its test', async () => {
  await using kafka = await startKafka({ exclusive: true, properties: { 'num.partitions': '7' } })
  await createTopic(kafka.brokers, 'wide')
  const { topics } = await withAdmin(kafka.brokers, (admin) => admin.fetchTopicMetadata({ topics: ['wide'] }))
  expect(topics[0]?.partitions).toHaveLength(7)
})

test('a broker that cannot start says why', async () => {
  const properties = { 'log.retention.ms': 'forever' }
  await expect(startKafka({ via: 'jars', properties })).rejects.toThrow(/log\.retention\.ms/)
})

test('a broker started by hand ends with its script', async () => {
  const script = runProcess(process.execPath, [`${import.meta.dirname}/main.ts`], {
    env: { KAFKA_BROKERS: '' },
  })
  const line = await script.waitForLine('Kafka for the tests: ', 100_000)
  const brokers = /at (127\.0\.0\.1:\d+)/.exec(line)?.[1] ?? ''
  expect(await isListening(brokers)).toBe(true)
  script.kill('SIGTERM')
  expect(await script.waitForExit()).toMatchObject({ code: 0 })
  expect(await isListening(brokers)).toBe(false)
})
