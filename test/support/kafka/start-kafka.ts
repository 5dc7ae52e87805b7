import { relative } from 'node:path'
import { messageOf } from '../../../src/base/fault.ts'
import { startKafkaContainer, officialImage, whyNoDocker } from './kafka-container.ts'
import { startKafkaFromJars } from './kafka-from-jars.ts'
import { kafkaJarsFolder, kafkaVersion } from './kafka-jars.ts'
import { kafkaSettings, type KafkaSettings } from './kafka-settings.ts'
import { waitUntilAnswers, type KafkaOptions, type KafkaSource, type StartedKafka } from './started-kafka.ts'

export interface StartKafkaOptions extends KafkaOptions {
  /** This source and no other; goes before `MILLRACE_KAFKA`. */
  readonly via?: KafkaSource
  /** A broker of the test's own, to be killed and restarted at will: never the environment's. */
  readonly exclusive?: boolean
  /** Takes the one line that says which Kafka is used, and why. */
  readonly tell?: (line: string) => void
}

/**
 * A real Apache Kafka for tests: the one that `KAFKA_BROKERS` names, else a container where a Docker engine answers,
 * else the published jars with the machine's Java. Where none can be had it fails, and says what each lacks: a test on
 * real Kafka is never skipped in silence.
 *
 * @example
 * await using kafka = await startKafka({ properties: { 'message.max.bytes': '2000' } })
 * await kafka.kill('SIGKILL')
 * await kafka.restart()
 */
export const startKafka = async (options: StartKafkaOptions = {}): Promise<StartedKafka> => {
  const settings = kafkaSettings()
  const sources = sourcesFor(options, settings)
  const reasons: string[] = []
  for (const source of sources) {
    try {
      const kafka = await providers[source](options, settings)
      options.tell?.(tellOf(kafka, sources, reasons, settings))
      return kafka
    } catch (error) {
      reasons.push(`${source}: ${messageOf(error)}`)
    }
  }
  throw new Error(
    `no Apache Kafka for the tests; name one that runs in KAFKA_BROKERS, start a Docker engine, or install Java 17 and Maven\n  ${reasons.join('\n  ')}`,
  )
}

type Provider = (options: StartKafkaOptions, settings: KafkaSettings) => Promise<StartedKafka>

/** A Kafka that was named is meant: where it does not answer, another is no substitute. */
const sourcesFor = (options: StartKafkaOptions, settings: KafkaSettings): readonly KafkaSource[] => {
  const own: readonly KafkaSource[] = ['testcontainers', 'jars']
  const wanted = options.via ?? settings.source
  if (options.exclusive === true && (wanted === undefined || wanted === 'environment')) return own
  if (wanted !== undefined) return [wanted]
  return settings.brokers === undefined ? own : ['environment']
}

const providers: Record<KafkaSource, Provider> = {
  environment: async (_options, { brokers }) => {
    if (brokers === undefined) throw new Error('KAFKA_BROKERS is not set')
    return fromEnvironment(brokers)
  },
  testcontainers: async (options, { image }) => {
    const missing = await whyNoDocker()
    if (missing !== undefined) throw new Error(`no Docker engine answers (${missing})`)
    return startKafkaContainer(image === undefined ? options : { ...options, image })
  },
  jars: (options) => startKafkaFromJars(options),
}

const fromEnvironment = async (brokers: string): Promise<StartedKafka> => {
  await waitUntilAnswers(brokers, { deadlineMs: 5000 })
  const notOurs = (): Promise<never> =>
    Promise.reject(
      new Error(`the Kafka at ${brokers} is the environment's, which a test neither stops nor starts`),
    )
  const nothing = (): Promise<void> => Promise.resolve()
  return {
    brokers,
    via: 'environment',
    restart: notOurs,
    kill: notOurs,
    close: nothing,
    [Symbol.asyncDispose]: nothing,
  }
}

const tellOf = (
  { via, brokers }: StartedKafka,
  sources: readonly KafkaSource[],
  reasons: readonly string[],
  { image = officialImage }: KafkaSettings,
): string => {
  const what = {
    environment: 'the one that KAFKA_BROKERS names',
    testcontainers: `a container of ${image}`,
    jars: `Apache Kafka ${kafkaVersion} from the jars in ${relative(process.cwd(), kafkaJarsFolder)}`,
  }[via]
  const why = reasons.length > 0 ? reasons.map(firstLine).join('; ') : `first of ${sources.join(', ')}`
  return `Kafka for the tests: ${what}, at ${brokers} (${why})`
}

const firstLine = (text: string): string => text.split('\n')[0] ?? ''
