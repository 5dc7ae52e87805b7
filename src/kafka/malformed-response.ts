import { Fault, messageOf } from '../base/fault.ts'
import type { TopicPartition } from './topic-partition.ts'
import { nameOfPartition } from './topic-partition.ts'
import type { BrokerAddress } from './transport.ts'
import { addressText } from './transport.ts'

/**
 * A broker, or a proxy before it, has answered with bytes that are no response of that API. Nothing that follows on the
 * connection can be trusted: the connection is closed, and the request is tried again.
 */
export const malformedResponse = (
  broker: BrokerAddress,
  { name, version }: { readonly name: string; readonly version: number },
  cause: unknown,
): Fault =>
  new Fault({
    code: 'RESPONSE_MALFORMED',
    actor: 'retry',
    message: `broker ${addressText(broker)} answered ${name} (version ${version}) with bytes that are no response to it: ${messageOf(cause)}`,
    remedy: 'check the broker, and any proxy between it and this process',
    cause,
  })

/** An answer that can be read, and leaves out something that was asked for. */
export const incompleteResponse = (apiName: string, missing: string): Fault =>
  new Fault({
    code: 'RESPONSE_MALFORMED',
    actor: 'retry',
    message: `Kafka answered ${apiName} without ${missing}`,
    remedy: 'check the brokers, and any proxy between them and this process',
  })

/** Refuses an answer that leaves out a partition; `answered` holds those that are in it, by name. */
export const checkAnswered = (
  apiName: string,
  asked: readonly TopicPartition[],
  answered: { readonly has: (partitionName: string) => boolean },
): void => {
  const missing = asked.find((each) => !answered.has(nameOfPartition(each)))
  if (missing !== undefined) throw incompleteResponse(apiName, `partition ${nameOfPartition(missing)}`)
}
