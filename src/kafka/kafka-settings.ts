import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { Fault } from '../base/fault.ts'
import { printable, withoutCredentials } from '../base/printable.ts'
import type { BrokerAddress } from './transport.ts'

/** How to reach Kafka. What is secret in here (`sasl`, keys in `tls`) is never printed by anything below. */
export interface KafkaSettings {
  /** Bootstrap servers, as `host:port`, several separated by commas. */
  readonly brokers: string
  readonly clientId: string
  readonly tls?: TlsOptions | undefined
  readonly sasl?: SaslSettings | undefined
  readonly connectTimeoutMs?: number | undefined
  readonly requestTimeoutMs?: number | undefined
  /** JoinGroup may take this long on top of a request's time. */
  readonly rebalanceTimeoutMs?: number | undefined
}

export interface SaslSettings {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'
  readonly username?: Credential
  readonly password?: Credential
  readonly token?: Credential
}

/** A secret, or how to get one when a connection needs it. */
export type Credential = string | (() => string | Promise<string>)

/** The addresses of a list such as `kafka-1:9092,kafka-2:9092` or `[::1]:9092`; defaults to the port is 9092. */
export const parseBrokers = (brokers: string): readonly BrokerAddress[] => {
  const addresses = brokers
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => parseBroker(text, brokers))
  if (addresses.length === 0) throw badBrokers(brokers)
  return addresses
}

const parseBroker = (text: string, brokers: string): BrokerAddress => {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s/@]+))(?::(\d{1,5}))?$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3] ?? 9092)
  if (host === undefined || port < 1 || port > 65_535)
    throw badBrokers(text.includes('@') || !mayHoldSecret.test(brokers) ? text : undefined)
  return { host, port }
}

/** A URL may have a password, which a comma in it would spread over several addresses. */
const mayHoldSecret = /@|:\/\//

const badBrokers = (text: string | undefined): Fault =>
  new Fault({
    code: 'BROKERS_INVALID',
    actor: 'author',
    message:
      text === undefined
        ? 'the list of Kafka brokers has a URL, a user or a password, which is not shown'
        : `'${printable(withoutCredentials(text))}' is no list of Kafka brokers`,
    remedy:
      'write host:port, several separated by commas, such as kafka-1:9092,kafka-2:9092; users and passwords belong in the setting sasl',
  })
