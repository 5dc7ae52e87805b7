import { readFileSync } from 'node:fs'
import type { KafkaSettings } from '../kafka/kafka-settings.ts'
import { readSecret } from './secret.ts'
import type { Settings } from './settings.ts'

/** How to reach Kafka, with secrets read from their files at the moment a connection needs them. */
export const kafkaSettingsOf = (settings: Settings, clientId: string): KafkaSettings => ({
  brokers: settings.bootstrapServers.join(','),
  clientId,
  requestTimeoutMs: settings.requestTimeoutMs,
  rebalanceTimeoutMs: settings.rebalanceTimeoutMs,
  tls: settings.tls === undefined ? undefined : tlsOf(settings.tls),
  sasl: settings.sasl === undefined ? undefined : saslOf(settings.sasl),
})

const tlsOf = (tls: NonNullable<Settings['tls']>): NonNullable<KafkaSettings['tls']> => ({
  rejectUnauthorized: tls.rejectUnauthorized,
  ...(tls.caFile === undefined ? {} : { ca: readFileSync(tls.caFile) }),
  ...(tls.certFile === undefined ? {} : { cert: readFileSync(tls.certFile) }),
  ...(tls.keyFile === undefined ? {} : { key: readFileSync(tls.keyFile) }),
  ...(tls.keyPassword === undefined ? {} : { passphrase: readSecret(tls.keyPassword) }),
  ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
})

const saslOf = ({
  mechanism,
  username,
  password,
  token,
}: NonNullable<Settings['sasl']>): NonNullable<KafkaSettings['sasl']> => ({
  mechanism,
  ...(username === undefined ? {} : { username }),
  ...(password === undefined ? {} : { password: () => readSecret(password) }),
  ...(token === undefined ? {} : { token: () => readSecret(token) }),
})
