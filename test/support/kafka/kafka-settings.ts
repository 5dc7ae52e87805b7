import { type KafkaSource } from './started-kafka.ts'

/**
 * What the environment may say about the Kafka of the tests. Besides vitest's own variables this is all that tests
 * read from it:
 *
 * - `KAFKA_BROKERS`: bootstrap servers of a Kafka that runs already; it is neither started nor stopped.
 * - `MILLRACE_KAFKA`: `environment`, `testcontainers` or `jars`, to have this one and no other.
 * - `MILLRACE_KAFKA_IMAGE`: the image for testcontainers, such as a local one that `build-docker-image.ts` made.
 */
export interface KafkaSettings {
  readonly brokers: string | undefined
  readonly source: KafkaSource | undefined
  readonly image: string | undefined
}

const sources: readonly KafkaSource[] = ['environment', 'testcontainers', 'jars']

/** Reads the settings, refusing a source that does not exist. */
export const kafkaSettings = (
  environment: Readonly<Record<string, string | undefined>> = process.env,
): KafkaSettings => {
  const forced = given(environment['MILLRACE_KAFKA'])
  const source = sources.find((each) => each === forced)
  if (forced !== undefined && source === undefined) {
    throw new Error(`MILLRACE_KAFKA is ${forced}, and must be one of ${sources.join(', ')}`)
  }
  return {
    brokers: given(environment['KAFKA_BROKERS']),
    source,
    image: given(environment['MILLRACE_KAFKA_IMAGE']),
  }
}

const given = (value: string | undefined): string | undefined => (value === '' ? undefined : value)
