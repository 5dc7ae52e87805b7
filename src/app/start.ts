import { join } from 'node:path'
import { AssertionFailed } from '../base/assert.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import { systemClock } from '../base/system-clock.ts'
import type { ApplicationHealth } from '../runtime/application-health.ts'
import type { ApplicationMember, CloseOptions } from '../runtime/application-member.ts'
import type { QueryEndpoint } from '../runtime/application-metadata.ts'
import type { TaskId } from '../runtime/assign-tasks.ts'
import type { MetricsSnapshot } from '../runtime/metrics.ts'
import type { ApplicationState } from '../runtime/runtime-settings.ts'
import type { StateStore } from '../state/store.ts'
import type { Topology } from '../topology/topology.ts'
import { ApplicationLog } from './application-log.ts'
import { changesOf } from './observe/observe-changes.ts'
import type { Queries } from './queries/queries.ts'
import { withQueries } from './queries/serve-queries.ts'
import { warnOfOpenSecrets } from './security-warnings.ts'
import type { SettingsInput } from './settings.ts'
import { parseSettings } from './settings.ts'
import { topologyKind } from '../topology/topology-kind.ts'
import { startOptions } from './start-options.ts'
import { claimStateDirectories } from './state-directory.ts'
import { createMember, memberSettingsOf } from './create-member.ts'
import type { StartOptions } from './start-options.ts'
import { Supervisor } from './supervisor.ts'

/** A running application, which `start` returns. */
export interface Application {
  /** The topology that it runs. */
  readonly topology: Topology
  readonly state: ApplicationState
  /** What the application failed with, in the state `failed`; undefined otherwise. */
  readonly failure: unknown
  /** Counts and lags, as of now. */
  readonly metrics: MetricsSnapshot
  /** What a probe or a dashboard needs: state, tasks, lag by input and what is being restored. */
  readonly health: ApplicationHealth
  /** The ids of the active tasks of this process, `<sub-topology>_<partition>`. */
  readonly tasks: readonly TaskId[]
  /** The processes of the application that can be queried, with the tasks of each. */
  readonly metadata: readonly QueryEndpoint[]
  /** The topics it reads: those of others, and the internal ones. */
  readonly inputTopics: { readonly external: readonly string[]; readonly internal: readonly string[] }
  /** The names of its repartition and changelog topics. */
  readonly internalTopics: readonly string[]
  /** Reads of the state stores, of this process and of the others of the application. */
  readonly queries: Queries
  /**
   * Resolves after `close`, once everything is released. Rejects with the failure if the application fails. Without a
   * handler on it, and without a pending `waitFor`, a failure is logged and sets the exit code of the process.
   */
  readonly done: Promise<void>
  /** Resolves when the application is in this state; rejects if it fails, or closes, before. */
  waitFor(state: ApplicationState): Promise<void>
  /** Stops processing records, and stays in the group. */
  pause(): void
  /** Continues after `pause`. */
  resume(): void
  /** Commits, leaves the group and releases everything. */
  close(options?: CloseOptions): Promise<void>
  /** A store of an active task of this process; undefined if the task runs elsewhere. */
  store(name: string, partition: number): StateStore | undefined
  /** The standby replica of a store in this process; undefined if it has none. */
  standbyStore(name: string, partition: number): StateStore | undefined
}

/**
 * Runs a topology: resolves once its topics are made and it is joining its group; `waitFor('running')` waits for its
 * first tasks. Rejects with what is wrong: a topic that is missing, a broker that is not there, settings that conflict.
 *
 * @example
 * const application = await start(payment, { bootstrapServers: 'localhost:9092' })
 * await application.waitFor('running')
 * process.once('SIGTERM', () => void application.close())
 */
export const start = async (
  topology: Topology,
  input: SettingsInput,
  options: StartOptions = {},
): Promise<Application> => {
  checkArgument('start', topology, topologyKind)
  checkOptions('start', options, startOptions)
  const {
    clock = systemClock,
    onUncaughtFailure,
    onFailedRecord,
    authorization,
    logger,
    ...listeners
  } = options
  const given = memberSettingsOf(topology, parseSettings(input))
  const { applicationId: application, logRecordContents } = given
  const log = new ApplicationLog({ application, logger, listener: listeners, logRecordContents })
  const { listener } = log
  warnOfOpenSecrets(given, listener.onWarning)
  return withQueries(
    given,
    { clock, listener, authorization, changesOf: changesOf(given) },
    async (settings) => {
      const [state] = await claimStateDirectories(join(settings.stateDirectory, settings.applicationId), 1)
      if (state === undefined) throw new AssertionFailed('one folder was asked for')
      const place = { ...state, transactionName: state.processId }
      return new SingleMember({
        topology,
        clock,
        count: 1,
        createMember: (_number, host) => createMember(topology, settings, place, clock, host, onFailedRecord),
        listener,
        onFailure: (report) => log.failed(report),
        onUncaughtFailure: onUncaughtFailure ?? (() => settings.uncaughtFailure),
        maxReplacementsPerMinute: settings.maxReplacementsPerMinute,
        release: () => {
          state.release()
          log.close()
        },
      })
    },
  )
}

/** Stores can be read where they are: in this thread. */
class SingleMember extends Supervisor<ApplicationMember> {
  /** A store of a task that runs here, to read from; undefined where it does not. */
  store(name: string, partition: number): ReturnType<ApplicationMember['store']> {
    return this.members[0]?.store(name, partition)
  }

  /** The copy that is kept here of a store whose task runs elsewhere; undefined where there is none. */
  standbyStore(name: string, partition: number): ReturnType<ApplicationMember['standbyStore']> {
    return this.members[0]?.standbyStore(name, partition)
  }
}
