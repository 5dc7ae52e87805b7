import type { TestProject } from 'vitest/node'
import { startKafka } from './start-kafka.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    kafkaBrokers: string
  }
}

/** One Kafka for all the `.kafka.test.ts` files of a run; `kafkaBrokers()` tells them where it is. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const kafka = await startKafka({ tell: (line) => process.stdout.write(`${line}\n`) })
  project.provide('kafkaBrokers', kafka.brokers)
  return () => kafka.close()
}
