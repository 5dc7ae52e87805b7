import { join } from 'node:path'
import { systemClock } from '../base/system-clock.ts'
import type { Clock } from '../base/clock.ts'
import { Cluster } from '../kafka/cluster.ts'
import { TcpTransport } from '../kafka/tcp-transport.ts'
import type { RuntimeListener } from '../runtime/runtime-settings.ts'
import { StreamsApplication } from '../runtime/streams-application.ts'
import { openLmdbStores } from '../state/open-lmdb-stores.ts'
import { openMemoryStore } from '../state/open-memory-store.ts'
import type { Topology } from '../topology/topology.ts'
import { kafkaSettingsOf } from './kafka-settings-of.ts'
import type { SettingsInput } from './settings.ts'
import { parseSettings } from './settings.ts'
import { claimStateDirectory } from './state-directory.ts'

export interface StartOptions extends RuntimeListener {
  /** The machine's clock unless given. */
  readonly clock?: Clock
}

/** A running application, as its owner sees it. */
export type Application = Pick<
  StreamsApplication,
  | 'topology'
  | 'state'
  | 'failure'
  | 'metrics'
  | 'health'
  | 'tasks'
  | 'metadata'
  | 'inputTopics'
  | 'internalTopics'
  | 'store'
  | 'waitFor'
  | 'pause'
  | 'resume'
  | 'close'
>

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
  { clock = systemClock, ...listener }: StartOptions = {},
): Promise<Application> => {
  const settings = parseSettings(input)
  const applicationId = settings.applicationId ?? topology.name
  const clientId = settings.clientId ?? applicationId
  const transport = new TcpTransport(kafkaSettingsOf(settings, clientId))
  const state = claimStateDirectory(join(settings.stateDirectory, applicationId))
  const application = new StreamsApplication({
    topology,
    settings: { ...settings, applicationId, clientId },
    cluster: new Cluster({ transport, clock, retryTimeoutMs: settings.requestTimeoutMs }),
    clock,
    processId: state.processId,
    listener,
    openTaskStores: (task) =>
      openLmdbStores(join(state.directory, task), {
        clock,
        cacheBytes: settings.stateCacheMaxBytes,
        onDamaged: (fault) => listener.onWarning?.(fault.message),
      }),
    openGlobalStore: (definition) =>
      openMemoryStore({ ...definition, changelog: false }, { append: () => {} }),
    disconnect: () => transport.close(),
    release: async () => state.release(),
  })
  await application.start()
  return application
}
