import { systemClock } from '../base/system-clock.ts'
import type { Cluster } from '../kafka/cluster.ts'

/** How long a command tries to reach its broker before it says that it can't. */
const patienceMs = 5_000

/** Runs `work` against a cluster, and lets go of it afterwards, whatever happened. */
export const withCluster = async <T>(
  bootstrapServer: string,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> => {
  // The client is loaded when a command needs it: half a second that a wrong flag or --help need not wait.
  const [{ Cluster }, { TcpTransport }] = await Promise.all([
    import('../kafka/cluster.ts'),
    import('../kafka/tcp-transport.ts'),
  ])
  const transport = new TcpTransport({
    brokers: bootstrapServer,
    clientId: 'millrace-cli',
    connectTimeoutMs: patienceMs,
  })
  try {
    return await work(new Cluster({ transport, clock: systemClock, retryTimeoutMs: patienceMs }))
  } finally {
    await transport.close()
  }
}
