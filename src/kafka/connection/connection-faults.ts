import { messageTextOf } from '../../base/quoting-errors.ts'
import { Fault, isFault, messageOf } from '../../base/fault.ts'
import type { BrokerAddress } from '../transport.ts'
import { addressText } from '../transport.ts'
import { causesOf, securityFault } from './security-fault.ts'

/** What a transport rejects with, each with the broker's address. */
export const closedFault = (): Fault =>
  new Fault({
    code: 'TRANSPORT_CLOSED',
    actor: 'runtime',
    message: 'the connection to Kafka has been closed',
  })

/** No connection came about. */
export const connectFault = (broker: BrokerAddress, error: unknown): Fault =>
  malformedIn(error) ??
  securityFault(broker, error) ??
  new Fault({
    code: 'BROKER_UNREACHABLE',
    actor: 'retry',
    message: `no Kafka broker answers at ${addressText(broker)} (${reasonOf(error)})`,
    remedy: 'start Kafka there or name a running broker in the setting bootstrapServers',
    cause: error,
  })

export const timeoutFault = (broker: BrokerAddress): Fault =>
  new Fault({
    code: 'REQUEST_TIMED_OUT',
    actor: 'retry',
    message: `broker ${addressText(broker)} did not answer in time`,
  })

/** True where the peer stopped answering, as opposed to ending the connection. */
export const isSilence = (ending: unknown): boolean =>
  ending instanceof Fault
    ? ending.code === 'REQUEST_TIMED_OUT'
    : [...causesOf(ending)].some((cause) => silences.has((cause as NodeJS.ErrnoException).code ?? ''))

/** What the operating system reports where keep-alive or a retransmission is not answered. */
const silences: ReadonlySet<string> = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'])

/** A connection is lost with a request in flight. */
export const lossFault = (broker: BrokerAddress, ending: unknown): Fault =>
  ending instanceof Fault
    ? ending
    : (securityFault(broker, ending) ??
      new Fault({
        code: 'CONNECTION_LOST',
        actor: 'retry',
        message: `the connection to broker ${addressText(broker)} was lost (${reasonOf(ending)})`,
        cause: ending,
      }))

/** What the broker says of SASL may be no answer at all, which the library reports as refused credentials. */
const malformedIn = (error: unknown): Fault | undefined =>
  [...causesOf(error)].find((cause): cause is Fault => isFault(cause, 'RESPONSE_MALFORMED'))

/** The innermost reason, which names the system call or the handshake that failed. */
const reasonOf = (error: unknown): string => {
  let reason = messageOf(error)
  for (const cause of causesOf(error)) {
    const message = messageTextOf(cause)
    if (message !== '') reason = message
  }
  return reason
}
