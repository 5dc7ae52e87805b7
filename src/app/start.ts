import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { systemClock } from '../base/system-clock.ts'
import type { Clock } from '../base/clock.ts'
import { Cluster } from '../kafka/cluster.ts'
import { TcpTransport } from '../kafka/tcp-transport.ts'
import type { RuntimeListener } from '../runtime/runtime-settings.ts'
import { StreamsApplication } from '../runtime/streams-application.ts'
import { openMemoryStore } from '../state/open-memory-store.ts'
import type { Topology } from '../topology/topology.ts'
import { kafkaSettingsOf } from './kafka-settings-of.ts'
import type { SettingsInput } from './settings.ts'
import { parseSettings } from './settings.ts'

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
  | 'tasks'
  | 'inputTopics'
  | 'internalTopics'
  | 'store'
  | 'waitFor'
  | 'pause'
  | 'resume'
> & {
  close(options?: { readonly leaveGroup?: boolean }): Promise<void>
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
  { clock = systemClock, ...listener }: StartOptions = {},
): Promise<Application> => {
  const settings = parseSettings(input)
  const applicationId = settings.applicationId ?? topology.name
  const clientId = settings.clientId ?? applicationId
  const transport = new TcpTransport(kafkaSettingsOf(settings, clientId))
  const cluster = new Cluster({ transport, clock, retryTimeoutMs: settings.requestTimeoutMs })
  const application = new StreamsApplication({
    topology,
    settings: {
      ...settings,
      applicationId,
      clientId,
      stateDirectory: join(settings.stateDirectory, applicationId),
    },
    cluster,
    clock,
    processId: randomUUID(),
    listener,
    openStore: (_task, definition, changelog) => openMemoryStore(definition, changelog),
    openGlobalStore: (definition) =>
      openMemoryStore({ ...definition, changelog: false }, { append: () => {} }),
    closeStores: () => transport.close(),
  })
  await application.start()
  return application
}
