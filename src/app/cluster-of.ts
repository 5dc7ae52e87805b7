import type { Clock } from '../base/clock.ts'
import { systemClock } from '../base/system-clock.ts'
import { Cluster } from '../kafka/cluster.ts'
import { TcpTransport } from '../kafka/connection/tcp-transport.ts'
import { kafkaSettingsOf } from './kafka-settings-of.ts'
import type { Settings } from './settings.ts'

/** The cluster of these settings, over connections of its own, which `cluster.transport.close()` closes. */
export const clusterOf = (settings: Settings, clientId: string, clock: Clock = systemClock): Cluster =>
  new Cluster({
    transport: new TcpTransport(kafkaSettingsOf(settings, clientId)),
    clock,
    retryTimeoutMs: settings.requestTimeoutMs,
  })

/** The same for a program beside its topologies. */
export const clientClusterOf = (settings: Settings): Cluster =>
  clusterOf(settings, settings.clientId ?? 'millrace-client')
