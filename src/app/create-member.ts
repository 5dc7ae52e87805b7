import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { partsOfTask } from '../runtime/application-plan.ts'
import { ApplicationMember } from '../runtime/application-member.ts'
import type { ApplicationMemberOptions } from '../runtime/application-member.ts'
import { CacheBudget } from '../state/cache-budget.ts'
import { openLmdbStores } from '../state/open-lmdb-stores.ts'
import { openMemoryStore } from '../state/open-memory-store.ts'
import { skippedRowsText } from '../state/skipped-rows.ts'
import type { FailureHandler } from '../task/failure-handler.ts'
import type { Topology } from '../topology/topology.ts'
import { clusterOf } from './cluster-of.ts'
import type { Settings } from './settings.ts'
import { diskTaskFolders } from './disk-task-folders.ts'

/** Where a member finds its state, and the names that stay with it over restarts and replacements. */
export interface MemberPlace {
  readonly directory: string
  readonly transactionName: string
  /** The same for all members of a process. */
  readonly processId: string
}

/** Settings of a member, with the application named. */
export type MemberSettings = Settings & { readonly applicationId: string; readonly clientId: string }

/** A thread asks its process, and waits for the answer. */
export type CreatedMemberHost = Required<Pick<ApplicationMemberOptions, 'listener' | 'responseToFailure'>>

/** Puts one member together: connections, stores on LMDB below its folder, and the application that uses them. */
export const createMember = (
  topology: Topology,
  settings: MemberSettings,
  { directory, transactionName, processId }: MemberPlace,
  clock: Clock,
  { listener, responseToFailure }: CreatedMemberHost,
  onFailedRecord?: FailureHandler,
): ApplicationMember => {
  const cluster = clusterOf(settings, settings.clientId, clock)
  const budget = new CacheBudget(settings.stateCacheMaxBytes)
  return new ApplicationMember({
    topology,
    settings,
    cluster,
    clock,
    processId,
    transactionName,
    responseToFailure,
    onFailedRecord,
    listener,
    openTaskStores: (task, origins) =>
      openLmdbStores(join(directory, task), {
        clock,
        budget,
        frozen: settings.freezeState,
        maxRequestSize: settings.maxRequestSize,
        origins,
        onDamaged: (fault) => listener.onWarning?.(fault.message),
        onSkipped: (report) => {
          const { partition } = partsOfTask(task)
          listener.onWarning?.(skippedRowsText(report, partition), {
            code: 'STORE_KEY_TOO_LARGE',
            task,
            store: report.store,
            partition,
            records: report.rows,
          })
        },
      }),
    folders: diskTaskFolders(directory, clock),
    openGlobalStore: (definition) =>
      openMemoryStore(
        { ...definition, changelog: false },
        { append: () => {} },
        { frozen: settings.freezeState },
      ),
    disconnect: () => cluster.transport.close(),
  })
}

/** Parsed settings with the application's names filled in. */
export const memberSettingsOf = (topology: Topology, settings: Settings): MemberSettings => {
  const applicationId = settings.applicationId ?? topology.name
  return { ...settings, applicationId, clientId: settings.clientId ?? applicationId }
}
