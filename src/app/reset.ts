import { Fault } from '../base/fault.ts'
import { nearest } from '../base/nearest.ts'
import type { OptionShape, ValueKind } from '../base/options.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import { anyObject, flag, listOf, text } from '../base/value-kinds.ts'
import { systemClock } from '../base/system-clock.ts'
import { Admin } from '../kafka/admin.ts'
import type { Topology } from '../topology/topology.ts'
import type { ApplicationState } from './application-state.ts'
import { applicationStateIn, lockApplicationState } from './application-state.ts'
import { clusterOf } from './cluster-of.ts'
import { liveGroup } from './live-group.ts'
import { ownTopicsOfGroup, topicsOfTopology } from './reset-topics.ts'
import type { ResetTopics } from './reset-topics.ts'
import type { OffsetMove, ResetTarget } from './reset-offsets.ts'
import { movesTo, resetTarget } from './reset-offsets.ts'
import type { SettingsInput } from './settings.ts'
import { parseSettings } from './settings.ts'
import { topologyKind } from '../topology/topology-kind.ts'
import { holderOfState } from './state-directory.ts'

/** Options of `reset`. */
export interface ResetOptions {
  /** Where the input topics are read from again; defaults to `earliest`. */
  readonly to?: ResetTarget
  /** Performs the reset instead of a dry run. */
  readonly execute?: boolean
  /** Resets these input topics only. */
  readonly inputTopics?: readonly string[]
  /** Deletes these internal topics only. */
  readonly internalTopics?: readonly string[]
}

const resetOptions: OptionShape<ResetOptions> = {
  to: resetTarget,
  execute: flag,
  inputTopics: listOf(text),
  internalTopics: listOf(text),
}

/** What a reset does, or has done. */
export interface ResetResult {
  readonly applicationId: string
  readonly offsets: readonly OffsetMove[]
  /** The internal topics that exist: repartition topics and changelogs. */
  readonly deletedTopics: readonly string[]
  /** The folder of durable stores; undefined where there is none on this machine. */
  readonly deletedStateDirectory: string | undefined
  readonly executed: boolean
}

/**
 * Resets an application, as Kafka's application reset tool does: its group reads the input topics from
 * elsewhere, its internal topics and its durable stores on this machine are deleted. Only says what it would do unless
 * `execute` is given, and refuses while the application runs. Output topics keep what they hold.
 *
 * @example
 * const { offsets } = await reset(payment, { bootstrapServers: 'localhost:9092' }, { to: 'earliest', execute: true })
 */
export const reset = (
  topology: Topology,
  input: SettingsInput,
  options: ResetOptions = {},
): Promise<ResetResult> => {
  checkArgument('reset', topology, topologyKind)
  checkArgument('reset: settings', input, settingsKind)
  checkOptions('reset', options, resetOptions)
  const applicationId = input.applicationId ?? topology.name
  return resetBy(input, applicationId, options, (admin) => topicsOfTopology(admin, topology, applicationId))
}

const settingsKind: ValueKind = {
  ...anyObject,
  needs: 'settings',
  example: "{ bootstrapServers: 'localhost:9092' }",
}

/** The same for an application that is known by its id alone: its topics are found by their names, as Kafka's tool does. */
export const resetGroup = (
  applicationId: string,
  input: SettingsInput,
  options: ResetOptions = {},
): Promise<ResetResult> => resetBy(input, applicationId, options)

const resetBy = async (
  input: SettingsInput,
  applicationId: string,
  options: ResetOptions,
  topicsOf?: (admin: Admin) => Promise<ResetTopics>,
): Promise<ResetResult> => {
  const settings = parseSettings({ ...input, applicationId })
  const state = applicationStateIn(settings.stateDirectory, applicationId)
  refuseForeign(applicationId, state)
  const cluster = clusterOf(settings, settings.clientId ?? `${applicationId}-reset`)
  const admin = new Admin(cluster)
  try {
    await refuseWhileRunning(admin, applicationId, state)
    if (input.applicationId !== undefined || topicsOf === undefined)
      await refuseUnknown(admin, applicationId, state)
    const topics = chosenOf(await (topicsOf?.(admin) ?? ownTopicsOfGroup(admin, applicationId)), options)
    const offsets = await movesTo(
      admin,
      applicationId,
      topics.input,
      options.to ?? 'earliest',
      systemClock.now(),
    )
    const plan = {
      applicationId,
      offsets,
      deletedTopics: topics.internal,
      deletedStateDirectory: state.exists ? state.root : undefined,
      executed: options.execute === true,
    }
    if (plan.executed) await execute(admin, plan)
    return plan
  } finally {
    await cluster.transport.close()
  }
}

/** The lock comes first, so that no process takes the state up while it is deleted. */
const execute = async (admin: Admin, plan: ResetResult): Promise<void> => {
  const { applicationId, deletedStateDirectory: root } = plan
  const lock = root === undefined ? undefined : await lockApplicationState(root)
  if (lock?.kind === 'taken') throw stillRunning(applicationId, holding(lock.pid, root))
  try {
    await executeOnBrokers(admin, plan)
    lock?.delete()
  } finally {
    lock?.release()
  }
}

/** The offsets come first: the broker refuses them when a member has come in the meantime, and nothing is lost yet. */
const executeOnBrokers = async (
  admin: Admin,
  { applicationId, offsets, deletedTopics }: ResetResult,
): Promise<void> => {
  await admin.alterGroupOffsets(
    applicationId,
    offsets.map(({ topic, partition, to }) => ({ topic, partition, offset: to })),
  )
  const committed = [...(await admin.groupOffsets(applicationId)).values()]
  const orphans = committed.filter(({ topic }) => deletedTopics.includes(topic))
  if (orphans.length > 0) await admin.deleteGroupOffsets(applicationId, orphans)
  await admin.deleteTopics(deletedTopics)
}

const refuseForeign = (applicationId: string, { root, problem }: ApplicationState): void => {
  if (problem === undefined) return
  throw new Fault({
    code: 'STATE_DIRECTORY_FOREIGN',
    actor: 'author',
    message: `${root} is not the state of an application '${applicationId}': ${problem}`,
    remedy:
      'set stateDirectory (--state-directory) to the directory that holds the folder of the application, or move what is not its own out of that folder',
  })
}

const refuseWhileRunning = async (
  admin: Admin,
  applicationId: string,
  { root }: ApplicationState,
): Promise<void> => {
  const who = await liveGroup(admin, applicationId)
  if (who !== undefined) throw stillRunning(applicationId, who)
  const holder = await holderOfState(root)
  if (holder !== undefined) throw stillRunning(applicationId, holding(holder, root))
}

const holding = (pid: number, root: string | undefined): string =>
  `process ${pid} holds its state directory ${root}`

const stillRunning = (applicationId: string, who: string): Fault =>
  new Fault({
    code: 'APPLICATION_RUNNING',
    actor: 'author',
    message: `application '${applicationId}' can't be reset while it runs; ${who}`,
    remedy: 'stop it first; one that was killed leaves its group after its session timeout',
  })

/** An id that leaves no trace is a slip of the pen: a reset that does nothing must not read as a success. */
const refuseUnknown = async (admin: Admin, applicationId: string, state: ApplicationState): Promise<void> => {
  const groups = (await admin.listGroups()).map(({ groupId }) => groupId)
  if (groups.includes(applicationId) || state.exists) return
  const { internal } = await ownTopicsOfGroup(admin, applicationId)
  if (internal.length > 0) return
  const near = nearest(applicationId, groups)
  throw new Fault({
    code: 'APPLICATION_UNKNOWN',
    actor: 'author',
    message: `there is no application '${applicationId}': no group, no internal topic and no state directory has that name`,
    remedy:
      near === undefined
        ? 'list the groups there are: millrace groups --list'
        : `did you mean '${near}'? List all groups: millrace groups --list`,
  })
}

/** Topics named by hand must be the application's: a slip must not touch another's. */
const chosenOf = (known: ResetTopics, { inputTopics, internalTopics }: ResetOptions): ResetTopics => {
  refuseStrange(inputTopics, known.input, 'TOPIC_NOT_INPUT', 'input topic')
  refuseStrange(internalTopics, known.internal, 'TOPIC_NOT_INTERNAL', 'internal topic')
  return { input: inputTopics ?? known.input, internal: internalTopics ?? known.internal }
}

const refuseStrange = (
  named: readonly string[] | undefined,
  known: readonly string[],
  code: string,
  kind: string,
): void => {
  const strange = named?.find((topic) => !known.includes(topic))
  if (strange === undefined) return
  throw new Fault({
    code,
    actor: 'author',
    message: `topic '${strange}' is no ${kind} of this application`,
    remedy: known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`,
  })
}
