import { join } from 'node:path'
import { AssertionFailed } from '../base/assert.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import { systemClock } from '../base/system-clock.ts'
import type { ApplicationMember } from '../runtime/application-member.ts'
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

/** A running application, as its owner sees it. */
export type Application = Pick<
  Supervisor<ApplicationMember>,
  | 'topology'
  | 'state'
  | 'failure'
  | 'metrics'
  | 'health'
  | 'tasks'
  | 'metadata'
  | 'inputTopics'
  | 'internalTopics'
  | 'waitFor'
  | 'pause'
  | 'resume'
  | 'close'
  | 'done'
> &
  Pick<ApplicationMember, 'store' | 'standbyStore'> & {
    /** Reads of the state stores, of this process and of the others of the application. */
    readonly queries: Queries
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
