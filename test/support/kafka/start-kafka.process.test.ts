import { expect, test } from 'vitest'
import { freePort } from '../free-port.ts'
import { runProcess, type ProcessExit } from '../run-process.ts'
import { kafkaSettings } from './kafka-settings.ts'

const main = `${import.meta.dirname}/main.ts`

const startWith = (env: Record<string, string>): Promise<ProcessExit> => {
  const nothing = { KAFKA_BROKERS: '', MILLRACE_KAFKA: '', MILLRACE_KAFKA_IMAGE: '' }
  return runProcess(process.execPath, [main], { env: { ...nothing, ...env } }).waitForExit()
}

test('a source that does not exist is refused by name', () => {
  expect(() => kafkaSettings({ MILLRACE_KAFKA: 'docker' })).toThrow(
    'MILLRACE_KAFKA is docker, and must be one of environment, testcontainers, jars',
  )
})

test('an empty variable says nothing', () => {
  expect(kafkaSettings({ KAFKA_BROKERS: '', MILLRACE_KAFKA: '', MILLRACE_KAFKA_IMAGE: '' })).toEqual({
    brokers: undefined,
    source: undefined,
    image: undefined,
  })
})

test('where no Kafka can be had the run fails and says what is missing and what would help', async () => {
  const { code, stderr } = await startWith({ MILLRACE_KAFKA: 'jars', PATH: '/nowhere' })
  expect(code).toBe(1)
  expect(stderr).toContain('no Apache Kafka for the tests; name one that runs in KAFKA_BROKERS')
  expect(stderr).toContain('jars: Apache Kafka 4.3.1 needs Java 17 or later, and there is no java here')
})

test('a Kafka that was asked for and not named is an error', async () => {
  const { code, stderr } = await startWith({ MILLRACE_KAFKA: 'environment' })
  expect(code).toBe(1)
  expect(stderr).toContain('environment: KAFKA_BROKERS is not set')
})

test('a Kafka that was named and does not answer is an error, and no other takes its place', async () => {
  const { code, stderr } = await startWith({ KAFKA_BROKERS: `127.0.0.1:${await freePort()}` })
  expect(code).toBe(1)
  expect(stderr).toMatch(/environment: Kafka at 127\.0\.0\.1:\d+ did not answer/)
  expect(stderr).not.toContain('jars:')
})
