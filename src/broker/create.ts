import type { Bytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { systemClock } from '../base/system-clock.ts'
import {
  callback,
  clockKind,
  count,
  hasFunctions,
  listOf,
  nested,
  numberCheckedByReader,
  required,
  text,
} from '../base/value-kinds.ts'
import { Broker } from './broker.ts'
import { BrokerCore } from './core.ts'
import { UNLIMITED, type MemoryLimits } from './log/memory-budget.ts'
import type { Decompress } from './log/records.ts'
import { DEFAULT_SETTINGS, settingsShape, type BrokerSettings } from './settings.ts'
import type { Storage } from './storage/storage.ts'
import { checkTopicConfig } from './topic/topic-configs.ts'

/** A topic to create at the start. */
export interface InitialTopic {
  readonly name: string
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
}

/** Options of `createBrokerCore`. */
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
  /** Looks into compressed batches, for timestamps and keys; without it they are served all the same. */
  readonly decompress?: Decompress
  /** How much memory topics may take; defaults to no limit in process, and to half of the machine's over TCP. */
  readonly memory?: MemoryLimits
  /** What outlives the broker; without it everything is in memory. */
  readonly storage?: Storage
}

const topicShape: OptionShape<InitialTopic> = {
  name: required(text),
  partitions: count,
  configs: {
    needs: 'texts by the names of topic configs',
    example: "{ 'retention.ms': '60000' }",
    accepts: (value) =>
      typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((config) => typeof config === 'string'),
  },
}

/** Those that a broker over TCP has too. */
export const sharedOptions: OptionShape<Omit<CoreOptions, 'decompress' | 'memory' | 'storage'>> = {
  clock: clockKind,
  settings: nested(settingsShape),
  topics: listOf(nested(topicShape)),
  randomBytes: callback,
  onInternalError: callback,
}

const coreOptions: OptionShape<CoreOptions> = {
  ...sharedOptions,
  decompress: callback,
  memory: nested<MemoryLimits>({
    maxBytes: required(numberCheckedByReader),
    maxBatches: required(numberCheckedByReader),
  }),
  storage: {
    needs: 'a storage',
    example: 'memoryStorage()',
    accepts: (value) => hasFunctions(value, 'recover', 'record', 'openLog'),
  },
}

/**
 * The broker without a socket and without any module of Node's, for worlds that call it in process.
 *
 * @example
 * const core = createBrokerCore({ clock: new ManualClock(0), topics: [{ name: 'orders' }] })
 * const answer = await core.connect().request(frame)
 */
export const createBrokerCore = (options: CoreOptions = {}): BrokerCore => {
  checkOptions('createBrokerCore', options, coreOptions)
  return createCheckedCore(options)
}

/** The same for options that are checked already. */
export const createCheckedCore = (options: CoreOptions): BrokerCore => {
  const broker = new Broker({
    clock: options.clock ?? systemClock,
    settings: settingsWith(options.settings),
    randomBytes: options.randomBytes ?? ((length) => crypto.getRandomValues(new Uint8Array(length))),
    decompress: options.decompress ?? (() => undefined),
    storage: options.storage,
    memory: options.memory ?? UNLIMITED,
    report: options.onInternalError ?? (() => undefined),
  })
  for (const topic of options.topics ?? []) createInitially(broker, topic)
  return new BrokerCore(broker)
}

/** An option of `undefined` is one that is left out. */
const settingsWith = (changes: Partial<BrokerSettings> = {}): BrokerSettings => ({
  ...DEFAULT_SETTINGS,
  ...Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)),
})

const createInitially = (broker: Broker, { name, partitions, configs = {} }: InitialTopic): void => {
  if (broker.topics.get(name) !== undefined) return
  for (const [config, value] of Object.entries(configs)) checkTopicConfig(config, value)
  broker.createTopic(name, partitions ?? broker.settings.numPartitions, new Map(Object.entries(configs)))
}
