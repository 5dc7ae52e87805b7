import type { KafkaSource } from './started-kafka.ts'

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
  return {
    brokers: given(environment['KAFKA_BROKERS']),
    source: kafkaSource('MILLRACE_KAFKA', environment['MILLRACE_KAFKA']),
    image: given(environment['MILLRACE_KAFKA_IMAGE']),
  }
}

/** The source that a variable or an option of this name means; undefined where it says nothing. */
export const kafkaSource = (name: string, value: string | undefined): KafkaSource | undefined => {
  const wanted = given(value)
  const source = sources.find((each) => each === wanted)
  if (wanted !== undefined && source === undefined) {
    throw new Error(`${name} is ${wanted}, and must be one of ${sources.join(', ')}`)
  }
  return source
}

const given = (value: string | undefined): string | undefined => (value === '' ? undefined : value)
