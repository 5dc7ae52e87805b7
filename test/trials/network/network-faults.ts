import type { StartedKafka } from '../../support/kafka/started-kafka.ts'
import type { FaultProxy } from '../../support/fault-proxy.ts'
import { pause } from '../../runtime/chaos/chaos-run.ts'

/** What happens to the network between an application and its broker, and for how long results may stand still. */
export interface NetworkFault {
  readonly name: string
  readonly finding: string
  /** From the last result before to the first one after; the duration of the fault included. */
  readonly longestStandstillMs: number
  /** Puts the fault in place, and resolves when the network is whole again. */
  happen(proxy: FaultProxy, kafka: StartedKafka): Promise<void>
}

const faultMs = 20_000

export const networkFaults: readonly NetworkFault[] = [
  {
    name: 'latency',
    finding: 'every message between the application and Kafka takes 500 ms',
    longestStandstillMs: 15_000,
    happen: (proxy) => during(proxy, { latencyMs: 500 }),
  },
  {
    name: 'reset-all',
    finding: 'all connections are reset, five times',
    longestStandstillMs: 10_000,
    happen: async (proxy) => {
      for (let times = 0; times < 5; times++) {
        proxy.resetAll()
        await pause(faultMs / 5)
      }
    },
  },
  {
    name: 'reset-some',
    finding: '1 % of messages reset their connection',
    longestStandstillMs: 15_000,
    happen: (proxy) => during(proxy, { resetProbability: 0.01 }),
  },
  {
    name: 'black-hole',
    finding: 'nothing passes for 20 s',
    longestStandstillMs: faultMs + 15_000,
    happen: async (proxy) => {
      proxy.openHole()
      await pause(faultMs)
      proxy.closeHole()
    },
  },
  {
    name: 'half-open',
    finding: 'connections are silent forever and are never closed, while new ones work',
    longestStandstillMs: 45_000,
    happen: async (proxy) => {
      proxy.silenceAll()
      await pause(faultMs)
    },
  },
  {
    name: 'narrow',
    finding: 'each connection carries 64 kB/s',
    longestStandstillMs: 15_000,
    happen: (proxy) => during(proxy, { bytesPerSecond: 64_000 }),
  },
  {
    name: 'half-open-narrow',
    finding: 'connections are silent forever, and new ones carry 64 kB/s',
    longestStandstillMs: 45_000,
    happen: (proxy) => {
      proxy.silenceAll()
      return during(proxy, { bytesPerSecond: 64_000 })
    },
  },
  {
    name: 'broker-stopped',
    finding: 'the broker stands still for 20 s (SIGSTOP)',
    longestStandstillMs: faultMs + 15_000,
    happen: async (_proxy, kafka) => {
      await kafka.kill('SIGSTOP')
      await pause(faultMs)
      await kafka.kill('SIGCONT')
    },
  },
]

const during = async (proxy: FaultProxy, network: FaultProxy['network']): Promise<void> => {
  proxy.network = network
  await pause(faultMs)
  proxy.network = {}
}
