import { join } from 'node:path'
import type { ResourceLimits } from 'node:worker_threads'
import type { OptionShape, ValueKind } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { anyObject, count, required, text } from '../base/value-kinds.ts'
import { systemClock } from '../base/system-clock.ts'
import { ApplicationLog } from './application-log.ts'
import { changesOf } from './observe/observe-changes.ts'
import { withQueries } from './queries/serve-queries.ts'
import { warnOfOpenSecrets } from './security-warnings.ts'
import type { SettingsInput } from './settings.ts'
import { parseSettings } from './settings.ts'
import type { Application } from './start.ts'
import type { StartOptions } from './start-options.ts'
import { startOptions } from './start-options.ts'
import { claimStateDirectories } from './state-directory.ts'
import type { MemberSettings } from './create-member.ts'
import { memberSettingsOf } from './create-member.ts'
import { Supervisor } from './supervisor.ts'
import { ThreadHandle } from './thread-handle.ts'
import type { TopologyModule } from './topology-module.ts'
import { topologyOfModule } from './topology-module.ts'

/** Options of `startThreads`. */
export interface StartThreadsOptions extends Omit<StartOptions, 'clock' | 'onFailedRecord'> {
  /** How many worker threads; more than there are tasks are idle. */
  readonly threads: number
  /** Limits of each thread's heap; by default its young generation is bounded, as records die young. */
  readonly resourceLimits?: ResourceLimits
}

const { clock: _clock, onFailedRecord: _ofModule, ...sharedOptions } = startOptions
const startThreadsOptions: OptionShape<StartThreadsOptions> = {
  ...sharedOptions,
  threads: required(count),
  resourceLimits: anyObject,
}

const moduleKind: ValueKind = {
  needs: 'a URL or its text',
  example: "new URL('./payment.ts', import.meta.url)",
  accepts: (value) => typeof value === 'string' || value instanceof URL,
}
const moduleOptions: OptionShape<TopologyModule> = { module: required(moduleKind), topology: text }

/** A running application whose members are threads: the same, but its stores are read by `queries` alone. */
export type ThreadedApplication = Omit<Application, 'store' | 'standbyStore'>

/** Three times the recommended semi-space: see docs/performance.md, "The young generation of V8". */
const youngGenerationMb = 96

/**
 * Runs a topology in several worker threads of this process. Each imports the module for itself, as functions don't cross
 * from thread to thread, and is a member of the group of its own: with its own connections, tasks, folder of state and
 * transactions. For the same reason `onFailedRecord` is not among the options: the module exports it. Limits of memory in
 * the settings are those of the process: each thread gets its part. The application is `running` when all of its threads are; its metrics are summed over
 * them, as of the last fifth of a second.
 *
 * @example
 * const payment = { module: new URL('./payment.ts', import.meta.url) }
 * const application = await startThreads(payment, { bootstrapServers: 'localhost:9092' }, { threads: 4 })
 * await application.waitFor('running')
 */
export const startThreads = async (
  source: TopologyModule,
  input: SettingsInput,
  options: StartThreadsOptions,
): Promise<ThreadedApplication> => {
  checkOptions('startThreads', options, startThreadsOptions)
  const { threads, resourceLimits, onUncaughtFailure, authorization, logger, ...listeners } = options
  checkOptions('startThreads', source, moduleOptions)
  const topology = await topologyOfModule(source)
  const given = memberSettingsOf(topology, parseSettings(input))
  const { applicationId: application, logRecordContents } = given
  const log = new ApplicationLog({ application, logger, listener: listeners, logRecordContents })
  const { listener } = log
  warnOfOpenSecrets(given, listener.onWarning)
  return withQueries(
    given,
    { clock: systemClock, listener, authorization, changesOf: changesOf(given) },
    async (settings) => {
      const slots = await claimStateDirectories(
        join(settings.stateDirectory, settings.applicationId),
        threads,
      )
      const processId = slots[0]?.processId ?? ''
      return new Supervisor({
        topology,
        clock: systemClock,
        count: threads,
        createMember: (number, host) => {
          const { directory, processId: transactionName } = slots[number] as (typeof slots)[number]
          const start = {
            module: String(source.module),
            topology: topology.name,
            settings: settingsOfThread(settings, number, threads),
            place: { directory, transactionName, processId },
          }
          const limits = { maxYoungGenerationSizeMb: youngGenerationMb, ...resourceLimits }
          const name = `${settings.applicationId}-${number + 1}`
          return new ThreadHandle({ start, name, clock: systemClock, resourceLimits: limits }, host)
        },
        listener,
        onFailure: (report) => log.failed(report),
        onUncaughtFailure: onUncaughtFailure ?? (() => settings.uncaughtFailure),
        maxReplacementsPerMinute: settings.maxReplacementsPerMinute,
        release: () => {
          for (const slot of slots) slot.release()
          log.close()
        },
      })
    },
  )
}

/** What is one per process is divided, and names that must differ get a number, counted from 1 as threads are in Kafka. */
const settingsOfThread = (settings: MemberSettings, number: number, threads: number): MemberSettings => ({
  ...settings,
  clientId: `${settings.clientId}-${number + 1}`,
  groupInstanceId:
    settings.groupInstanceId === undefined ? undefined : `${settings.groupInstanceId}-${number + 1}`,
  inputBufferMaxBytes: Math.ceil(settings.inputBufferMaxBytes / threads),
  stateCacheMaxBytes: Math.ceil(settings.stateCacheMaxBytes / threads),
})
