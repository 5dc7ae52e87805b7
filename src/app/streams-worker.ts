import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { Cluster } from '../kafka/cluster.ts'
import { TcpTransport } from '../kafka/connection/tcp-transport.ts'
import { partsOfTask } from '../runtime/application-plan.ts'
import { StreamsApplication } from '../runtime/streams-application.ts'
import type { StreamsApplicationOptions } from '../runtime/streams-application.ts'
import { CacheBudget } from '../state/cache-budget.ts'
import { openLmdbStores } from '../state/open-lmdb-stores.ts'
import { openMemoryStore } from '../state/open-memory-store.ts'
import { skippedRowsText } from '../state/skipped-rows.ts'
import type { FailureHandler } from '../task/failure-handler.ts'
import type { Topology } from '../topology/topology.ts'
import { kafkaSettingsOf } from './kafka-settings-of.ts'
import type { Settings } from './settings.ts'
import { diskTaskFolders } from './disk-task-folders.ts'

/** Where a worker finds its state, and the names that stay with it over restarts and replacements. */
export interface WorkerPlace {
  readonly directory: string
  readonly transactionName: string
  /** The same for all workers of a process. */
  readonly processId: string
}

/** Settings of a worker: whoever starts it has named the application. */
export type WorkerSettings = Settings & { readonly applicationId: string; readonly clientId: string }

/** A thread asks its process, and waits for the answer. */
export type StreamsWorkerHost = Required<Pick<StreamsApplicationOptions, 'listener' | 'judge'>>

/** Puts one worker together: connections, stores on LMDB below its folder, and the application that uses them. */
export const createStreamsWorker = (
  topology: Topology,
  settings: WorkerSettings,
  { directory, transactionName, processId }: WorkerPlace,
  clock: Clock,
  { listener, judge }: StreamsWorkerHost,
  onFailedRecord?: FailureHandler,
): StreamsApplication => {
  const transport = new TcpTransport(kafkaSettingsOf(settings, settings.clientId))
  const budget = new CacheBudget(settings.stateCacheMaxBytes)
  return new StreamsApplication({
    topology,
    settings,
    cluster: new Cluster({ transport, clock, retryTimeoutMs: settings.requestTimeoutMs }),
    clock,
    processId,
    transactionName,
    judge,
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
    disconnect: () => transport.close(),
  })
}

/** Parsed settings with the application's names filled in. */
export const workerSettingsOf = (topology: Topology, settings: Settings): WorkerSettings => {
  const applicationId = settings.applicationId ?? topology.name
  return { ...settings, applicationId, clientId: settings.clientId ?? applicationId }
}
