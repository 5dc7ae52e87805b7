import type { Bytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { systemClock } from '../base/system-clock.ts'
import { Broker } from './broker.ts'
import { BrokerCore } from './core.ts'
import { decompress } from './decompress.ts'
import { listen } from './server.ts'
import { DEFAULT_SETTINGS, type BrokerSettings } from './settings.ts'

export type { Connection, FaultHook, InjectedFault, RequestSeen } from './core.ts'
export type { BrokerSettings } from './settings.ts'
export { BrokerCore } from './core.ts'

/** A topic to create at the start. */
export interface InitialTopic {
  readonly name: string
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
}

export interface CoreOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock
  /** Changes to Kafka's default settings. */
  readonly settings?: Partial<BrokerSettings>
  /** Topics that exist from the start; those that a data directory already holds are left as they are. */
  readonly topics?: readonly InitialTopic[]
  /** Where ids come from; a simulation hands in a seeded one. */
  readonly randomBytes?: (length: number) => Bytes
  /** Hears of mistakes in the broker itself; requests that meet one are answered UNKNOWN_SERVER_ERROR. */
  readonly onInternalError?: (error: unknown) => void
}

export interface BrokerOptions extends CoreOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number
}

/** A broker that listens. */
export interface RunningBroker {
  readonly port: number
  /** What clients take as `bootstrap.servers`: `127.0.0.1:PORT`. */
  readonly bootstrapServers: string
  readonly core: BrokerCore
  /** Closes all connections and the port. */
  close(): Promise<void>
}

/**
 * The broker without a socket, for worlds that call it in process: `core.connect().request(frame)`.
 *
 * @example
 * const core = createBrokerCore({ clock: new ManualClock(0), topics: [{ name: 'orders' }] })
 */
export const createBrokerCore = (options: CoreOptions = {}): BrokerCore => {
  const broker = new Broker({
    clock: options.clock ?? systemClock,
    settings: { ...DEFAULT_SETTINGS, ...options.settings },
    randomBytes: options.randomBytes ?? ((length) => crypto.getRandomValues(new Uint8Array(length))),
    decompress,
    report: options.onInternalError ?? (() => undefined),
  })
  for (const { name, partitions, configs } of options.topics ?? []) {
    if (broker.topics.get(name) !== undefined) continue
    broker.createTopic(
      name,
      partitions ?? broker.settings.numPartitions,
      new Map(Object.entries(configs ?? {})),
    )
  }
  return new BrokerCore(broker)
}

/**
 * Starts a Kafka broker inside this process, on loopback TCP, **for development and tests**: one node, real wire
 * protocol, topics in memory. Production names its own brokers.
 *
 * @example
 * const broker = await startBroker({ topics: [{ name: 'orders', partitions: 3 }] })
 * console.log(broker.bootstrapServers) // 127.0.0.1:40123
 * await broker.close()
 */
export const startBroker = async (options: BrokerOptions = {}): Promise<RunningBroker> => {
  const core = createBrokerCore(options)
  const { port, close } = await listen(core, options.port ?? 0)
  core.broker.advertised = { host: '127.0.0.1', port }
  return {
    port,
    bootstrapServers: `127.0.0.1:${port}`,
    core,
    close: async () => {
      await close()
      core.close()
    },
  }
}
