import { Admin } from '@platformatic/kafka'
import { messageOf } from '../../../src/base/fault.ts'

/** Where a Kafka came from: an address in the environment, a container, or the jars and the machine's Java. */
export type KafkaSource = 'environment' | 'testcontainers' | 'jars'

/** A Kafka that answers. */
export interface StartedKafka {
  /** `host:port`, or several with commas: what clients call the bootstrap servers. */
  readonly brokers: string
  readonly via: KafkaSource
  /** Stops it in good order if it runs, and starts it again at the same address with its data. */
  restart(): Promise<void>
  /** Sends the broker a signal: SIGKILL as a crash, SIGSTOP as a broker that hangs until SIGCONT. Awaits a deadly one's effect. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Ends it and deletes its data. A Kafka from the environment is left alone. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** What a provider takes. */
export interface KafkaOptions {
  /** The client port; a free one unless given. */
  readonly port?: number
  /** Added to the broker's properties, or replacing them. */
  readonly properties?: Readonly<Record<string, string>>
  /** Listeners beside the plain one, from the jars only: what each is called, how it speaks, where it listens. */
  readonly listeners?: readonly ExtraListener[]
  /** Users that the storage is formatted with, from the jars only: `SCRAM-SHA-256=[name=…,password=…]`. */
  readonly scramUsers?: readonly string[]
}

export interface ExtraListener {
  readonly name: string
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
  /** `host:port` that it binds. */
  readonly address: string
  /** `host:port` that it names to clients, such as a proxy; defaults to `address`. */
  readonly advertised?: string
}

/** Signals that leave the process where it is. */
export const isDeadly = (signal: NodeJS.Signals): boolean => signal !== 'SIGSTOP' && signal !== 'SIGCONT'

/** Resolves once a broker answers with metadata that names a broker; rejects when the deadline passes or `gone` rejects. */
export const waitUntilAnswers = async (
  brokers: string,
  { deadlineMs = 60_000, gone }: { readonly deadlineMs?: number; readonly gone?: Promise<never> } = {},
): Promise<void> => {
  const deadline = AbortSignal.timeout(deadlineMs)
  const answered = (async () => {
    let reason = 'no answer'
    while (!deadline.aborted) {
      reason = await ask(brokers)
      if (reason === '') return
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    throw new Error(`Kafka at ${brokers} did not answer within ${deadlineMs} ms: ${reason}`)
  })()
  await Promise.race(gone === undefined ? [answered] : [answered, gone])
}

const ask = async (brokers: string): Promise<string> => {
  const admin = new Admin({
    clientId: 'millrace-test',
    bootstrapBrokers: brokers.split(','),
    retries: 0,
    timeout: 2000,
    connectTimeout: 2000,
  })
  try {
    const metadata = await admin.metadata({ topics: [] })
    return metadata.brokers.size > 0 ? '' : 'no broker is registered yet'
  } catch (error) {
    return messageOf(error)
  } finally {
    await admin.close().catch(() => undefined)
  }
}
