import type { ExtraListener } from './started-kafka.ts'

/**
 * What a single Kafka node is told, as data: broker and controller in one process, each internal topic with one
 * replica, everything on the loopback. The jars read it as `server.properties`, the images as `KAFKA_*` variables.
 */
export type Properties = Readonly<Record<string, string>>

export interface NodeAddresses {
  /** `host:port` that the broker binds. */
  readonly listen: string
  /** `host:port` that clients are told to use; behind a port mapping it differs from `listen`. */
  readonly advertise: string
  readonly controller: string
}

export const singleNode = ({ listen, advertise, controller }: NodeAddresses): Properties => ({
  'process.roles': 'broker,controller',
  'node.id': '1',
  // Named voters, since the images' own start-up formats the storage in no other way.
  'controller.quorum.voters': `1@${controller}`,
  listeners: `PLAINTEXT://${listen},CONTROLLER://${controller}`,
  'advertised.listeners': `PLAINTEXT://${advertise},CONTROLLER://${controller}`,
  'controller.listener.names': 'CONTROLLER',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.num.partitions': '4',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.num.partitions': '4',
  'share.coordinator.state.topic.min.isr': '1',
  // A broker that was killed registers again only when its old session is over.
  'broker.session.timeout.ms': '6000',
  'group.initial.rebalance.delay.ms': '0',
  'log.cleaner.dedupe.buffer.size': '2097152',
  'auto.create.topics.enable': 'false',
  // Records of 1970, as tests write them, would be deleted half a minute after the start.
  'log.retention.ms': '-1',
})

/** A node that listens elsewhere too: its listeners and their protocols, added to those it has. */
export const withListeners = (node: Properties, extra: readonly ExtraListener[]): Properties => {
  const added = (name: string, text: (each: ExtraListener) => string): string =>
    [node[name], ...extra.map(text)].join(',')
  return {
    ...node,
    listeners: added('listeners', ({ name, address }) => `${name}://${address}`),
    'advertised.listeners': added(
      'advertised.listeners',
      ({ name, address, advertised = address }) => `${name}://${advertised}`,
    ),
    'listener.security.protocol.map': added(
      'listener.security.protocol.map',
      ({ name, protocol }) => `${name}:${protocol}`,
    ),
  }
}

/** As a Java properties file; a backslash in a value would escape what follows it, so it is doubled. */
export const toPropertiesFile = (properties: Properties): string =>
  Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('')

/** As the official image takes them: `KAFKA_` and the name, with `.` as `_`, `_` as `__` and `-` as `___`. */
export const toImageVariables = (properties: Properties): Record<string, string> =>
  Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      `KAFKA_${name.replaceAll('_', '__').replaceAll('-', '___').replaceAll('.', '_').toUpperCase()}`,
      value,
    ]),
  )

/** A new cluster id: 16 random bytes as URL-safe base64. A leading dash would be read as an option. */
export const randomClusterId = (): string => {
  const id = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')
  return id.startsWith('-') ? randomClusterId() : id
}
