import { createCheckedCore, sharedOptions, type CoreOptions } from './create.ts'
import { messageOf } from '../base/fault.ts'
import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { printableLine } from '../base/printable.ts'
import { count } from '../base/value-kinds.ts'
import type { BrokerCore } from './core.ts'
import { decompress } from './compression/decompress.ts'
import { memoryLimits } from './log/memory-limits.ts'
import { listen } from './server.ts'
import { openDataDirectory } from './storage/file-storage.ts'
import type { Storage } from './storage/storage.ts'

export { createBrokerCore } from './create.ts'
export type { CoreOptions, InitialTopic } from './create.ts'
export type { BrokerCore, Connection, FaultHook, InjectedFault, RequestSeen } from './core.ts'
export type { BrokerSettings } from './settings.ts'
export { memoryStorage } from './storage/memory-storage.ts'
export type { Storage } from './storage/storage.ts'
export type { Decompress } from './log/records.ts'
export type { MemoryLimits } from './log/memory-budget.ts'
export type { ErrorName } from './protocol/errors.ts'

/** Options of `startBroker`. */
export interface BrokerOptions extends Omit<CoreOptions, 'decompress' | 'storage' | 'memory'> {
  /** 0, the default, takes any free port. */
  readonly port?: number
  /** Where topics, records, offsets and transactions outlive the process; by default they do not. */
  readonly dataDirectory?: string
  /**
   * The memory that topics may take, in bytes; defaults to half of the machine's or container's memory. What goes beyond
   * is refused with POLICY_VIOLATION.
   */
  readonly maxBytes?: number
}

const brokerOptions: OptionShape<BrokerOptions> = {
  ...sharedOptions,
  port: {
    needs: 'a port from 0 to 65535',
    accepts: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65535,
  },
  dataDirectory: { needs: 'a path', accepts: (value) => typeof value === 'string' },
  maxBytes: count,
}

/** A broker that listens. */
export interface RunningBroker {
  readonly port: number
  /** What clients take as `bootstrap.servers`: `127.0.0.1:PORT`. */
  readonly bootstrapServers: string
  readonly core: BrokerCore
  /** Closes all connections, the port and the data directory. */
  close(): Promise<void>
}

/**
 * Starts a Kafka broker inside this process, on loopback TCP, **for development and tests**: one node, the real wire
 * protocol, topics in memory or in a data directory. Production names its own brokers.
 *
 * A port that is taken raises the fault `PORT_IN_USE`; a data directory that another broker holds,
 * `DATA_DIRECTORY_IN_USE`.
 *
 * @example
 * const broker = await startBroker({ topics: [{ name: 'orders', partitions: 3 }] })
 * console.log(broker.bootstrapServers) // 127.0.0.1:40123
 * await broker.close()
 */
export const startBroker = async (options: BrokerOptions = {}): Promise<RunningBroker> => {
  checkOptions('startBroker', options, brokerOptions)
  const { port: wantedPort = 0, dataDirectory, maxBytes, ...coreOptions } = options
  const report = options.onInternalError ?? logError
  const storage = dataDirectory === undefined ? undefined : await openDataDirectory(dataDirectory, { report })
  const core = createOn(storage, {
    ...coreOptions,
    onInternalError: report,
    memory: memoryLimits(maxBytes),
    decompress,
  })
  try {
    const listening = await listen(core, {
      port: wantedPort,
      connectionsMaxIdleMs: core.broker.settings.connectionsMaxIdleMs,
    })
    const { port } = listening
    core.broker.advertised = { host: '127.0.0.1', port }
    return {
      port,
      bootstrapServers: `127.0.0.1:${port}`,
      core,
      close: async () => {
        await listening.close()
        core.close()
      },
    }
  } catch (error) {
    core.close()
    throw error
  }
}

const createOn = (storage: Storage | undefined, options: CoreOptions): BrokerCore => {
  try {
    return createCheckedCore(storage === undefined ? options : { ...options, storage })
  } catch (error) {
    storage?.close()
    throw error
  }
}

const logError = (error: unknown): void =>
  console.error(`embedded broker: ${printableLine(messageOf(error))}`)
