import { systemClock } from '../base/system-clock.ts'
import type { Cluster, ClusterOptions } from '../kafka/cluster.ts'
import { readCommandConfig } from './command-config.ts'

/** How long a command tries to reach its broker before it says that it can't. */
const connectionTimeoutMs = 5_000

/** Where the broker is, and how to get in. */
interface BrokerOptions {
  readonly bootstrapServer: string
  readonly commandConfig?: string
}

/** Runs `work` against a cluster, and lets go of it afterwards, whatever happened. */
export const withCluster = async <T>(
  { bootstrapServer, commandConfig }: BrokerOptions,
  work: (cluster: Cluster) => Promise<T>,
  clusterOptions: Pick<ClusterOptions, 'allowAutoTopicCreation'> = {},
): Promise<T> => {
  // The client is loaded when a command needs it: half a second that a wrong flag or --help need not wait.
  const security = readCommandConfig(commandConfig)
  const [{ Cluster }, { TcpTransport }, { parseSettings }, { kafkaSettingsOf }] = await Promise.all([
    import('../kafka/cluster.ts'),
    import('../kafka/connection/tcp-transport.ts'),
    import('../app/settings.ts'),
    import('../app/kafka-settings-of.ts'),
  ])
  const transport = new TcpTransport({
    ...kafkaSettingsOf(parseSettings({ bootstrapServers: bootstrapServer, ...security }), 'millrace-cli'),
    connectTimeoutMs: connectionTimeoutMs,
  })
  try {
    const options = { transport, clock: systemClock, retryTimeoutMs: connectionTimeoutMs, ...clusterOptions }
    return await work(new Cluster(options))
  } finally {
    await transport.close()
  }
}
