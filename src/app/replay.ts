import { sleep } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { OptionShape } from '../base/options.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import { systemClock } from '../base/system-clock.ts'
import { callback, flag, required, text } from '../base/value-kinds.ts'
import { Admin } from '../kafka/admin.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import { internalTopicNamesOf } from '../runtime/internal-topics.ts'
import { isLegalTopicName } from '../topic/topic.ts'
import { redirectSinks } from '../topology/redirect.ts'
import { choosesSinks, sinkTopicsOf } from '../topology/topics.ts'
import type { Topology } from '../topology/topology.ts'
import type { ApplicationState } from './application-state.ts'
import { applicationStateIn, lockApplicationState } from './application-state.ts'
import { clusterOf } from './cluster-of.ts'
import { liveGroup } from './live-group.ts'
import { ownTopicsOfGroup } from './reset-topics.ts'
import type { SettingsInput } from './settings.ts'
import { parseSettings } from './settings.ts'
import type { StartOptions } from './start-options.ts'
import { start } from './start.ts'
import { topologyKind } from '../topology/topology-kind.ts'
import { startOptions as startOptionsShape } from './start-options.ts'

/** Options of `replay`. */
export interface ReplayOptions extends StartOptions {
  /** The group and prefix of the replay. An id that anything exists of is refused (`REPLAY_ID_TAKEN`). */
  readonly replayId: string
  /** Writes to the topology's own output topics instead of copies. */
  readonly liveOutputs?: boolean
  /** Leaves the replay's internal topics, its group and its state where they are. */
  readonly keepInternals?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ReplayProgress) => void
}

/** The progress of a replay. */
export interface ReplayProgress {
  readonly processedRecords: number
  /** Records of the input, as it was when the replay began, that are still to be read. */
  readonly remainingRecords: number
}

/** The result of a replay. */
export interface ReplayResult {
  readonly processedRecords: number
  /** Where the outputs went, with the number of records there. */
  readonly outputs: readonly { readonly topic: string; readonly records: number }[]
  /** False where it was stopped before it had read everything. */
  readonly complete: boolean
}

const replayOptions: OptionShape<ReplayOptions> = {
  ...startOptionsShape,
  replayId: required(text),
  liveOutputs: flag,
  keepInternals: flag,
  signal: { needs: 'an AbortSignal', accepts: (value) => value instanceof AbortSignal },
  onProgress: callback,
}

/**
 * Runs a topology again over its whole input, from the beginning to where the input ends now, under a group of its own.
 * The live group, its stores and its changelogs are not touched; outputs and dead letters go to `<replayId>-<topic>`
 * unless `liveOutputs` says otherwise. What callbacks do to the world outside (a `forEach` that sends mail) they do again.
 *
 * @example
 * const { outputs } = await replay(payment, { bootstrapServers: 'localhost:9092' }, { replayId: 'payment-replay' })
 */
export const replay = async (
  topology: Topology,
  input: SettingsInput,
  options: ReplayOptions,
): Promise<ReplayResult> => {
  checkArgument('replay', topology, topologyKind)
  checkOptions('replay', options, replayOptions)
  const { replayId, liveOutputs, keepInternals, signal: stopped, onProgress, ...startOptions } = options
  const settings = parseSettings(input)
  checkReplayId(replayId, settings.applicationId ?? topology.name)
  const state = applicationStateIn(settings.stateDirectory, replayId)
  const cluster = clusterOf(settings, replayId)
  const admin = new Admin(cluster)
  const rename = (topic: string): string => (liveOutputs === true ? topic : copyOf(topic, replayId))
  const { deadLetterTopic } = settings
  const outputs = [
    ...new Set([...sinkTopicsOf(topology), ...(deadLetterTopic === undefined ? [] : [deadLetterTopic])]),
  ]
  try {
    await refuseTaken(admin, topology, replayId, state)
    if (liveOutputs !== true) await refuseCopies(admin, topology, outputs, replayId)
    const copies = liveOutputs === true ? [] : await createCopies(admin, outputs, replayId)
    const before = await endsOf(admin, outputs.map(rename))
    const application = await start(
      redirectSinks(topology, rename),
      {
        ...input,
        applicationId: replayId,
        autoOffsetReset: 'earliest',
        ...(deadLetterTopic === undefined ? {} : { deadLetterTopic: rename(deadLetterTopic) }),
      },
      startOptions,
    ).catch(async (failure: unknown) => {
      // The same id can be used once the cause is dealt with.
      const made = [...copies, ...internalTopicNamesOf(topology, replayId)]
      await removeUnused(admin, made, replayId, state.root).catch(() => undefined)
      throw failure
    })
    let complete = false
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, ...(stopped === undefined ? [] : [stopped])])
    try {
      await application.waitFor('running')
      const caughtUp = catchUp(
        admin,
        application.inputTopics,
        { replayId, signal, onProgress },
        () => application.metrics.processedRecords,
      )
      complete = await Promise.race([caughtUp, application.done.then(() => false)])
    } finally {
      over.abort()
      await application.close()
    }
    const after = await endsOf(admin, outputs.map(rename))
    if (keepInternals !== true) {
      await removeInternals(admin, application.internalTopics, replayId)
      await deleteState(state.root)
    }
    return {
      processedRecords: application.metrics.processedRecords,
      outputs: Array.from(after, ([topic, end]) => ({ topic, records: end - (before.get(topic) ?? 0) })),
      complete,
    }
  } finally {
    await cluster.transport.close()
  }
}

/** The live application must not lose its records to the replay. */
const checkReplayId = (replayId: string, applicationId: string): void => {
  const fault = (message: string): Fault =>
    new Fault({
      code: 'REPLAY_ID_INVALID',
      actor: 'author',
      message,
      remedy: 'name a group that no other application uses, or leave out --replay-id',
    })
  if (!isLegalTopicName(replayId))
    throw fault(
      `the replay id '${replayId}' is no name of 1 to 249 of a-z, A-Z, 0-9, dot, underscore and hyphen`,
    )
  if (replayId === applicationId) throw fault(`the replay id '${replayId}' is the application's own`)
}

const pollIntervalMs = 100

interface CatchUpOptions {
  readonly replayId: string
  readonly signal: AbortSignal
  readonly onProgress: ReplayOptions['onProgress'] | undefined
}

/** Waits until the group has read what the inputs held at the beginning, and all of its own internal topics. */
const catchUp = async (
  admin: Admin,
  topics: { readonly external: readonly string[]; readonly internal: readonly string[] },
  { replayId, signal, onProgress }: CatchUpOptions,
  processed: () => number,
): Promise<boolean> => {
  const targets = await listEnds(admin, topics.external)
  while (!signal.aborted) {
    const ends = new Map([...targets, ...(await listEnds(admin, topics.internal))])
    const committed = await admin.groupOffsets(replayId)
    let remainingRecords = 0
    for (const [place, end] of ends)
      remainingRecords += Math.max(0, end - (committed.get(place)?.offset ?? 0))
    onProgress?.({ processedRecords: processed(), remainingRecords })
    if (remainingRecords === 0) return true
    await sleep(systemClock, pollIntervalMs, signal)
  }
  return false
}

/** The ends of all partitions that hold anything, by partition. */
const listEnds = async (admin: Admin, topics: readonly string[]): Promise<ReadonlyMap<string, number>> => {
  const partitions = await partitionsOf(admin, topics)
  const ends = await admin.listOffsets(partitions.map((each) => ({ ...each, at: 'latest' as const })))
  const starts = await admin.listOffsets(partitions.map((each) => ({ ...each, at: 'earliest' as const })))
  return new Map(
    partitions
      .map(({ topic, partition }) => partitionName(topic, partition))
      .filter((place) => (ends.get(place)?.offset ?? 0) > (starts.get(place)?.offset ?? 0))
      .map((place) => [place, ends.get(place)?.offset ?? 0]),
  )
}

const partitionsOf = async (admin: Admin, topics: readonly string[]): Promise<readonly TopicPartition[]> => {
  const counts = await admin.partitionCounts(topics)
  return [...counts].flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition })),
  )
}

/** The sum of the ends of each topic's partitions. */
const endsOf = async (admin: Admin, topics: readonly string[]): Promise<ReadonlyMap<string, number>> => {
  const partitions = await partitionsOf(admin, topics)
  const ends = await admin.listOffsets(partitions.map((each) => ({ ...each, at: 'latest' as const })))
  const sums = new Map<string, number>(topics.map((topic) => [topic, 0]))
  for (const { topic, partition } of partitions)
    sums.set(topic, (sums.get(topic) ?? 0) + (ends.get(partitionName(topic, partition))?.offset ?? 0))
  return sums
}

const copyOf = (topic: string, replayId: string): string => `${replayId}-${topic}`

/**
 * A topic cannot be marked as the copy of a replay, so a replay writes only to copies that it has created itself. A topic
 * that another client creates at the same time is not among those that the broker reports as created.
 */
const createCopies = async (
  admin: Admin,
  topics: readonly string[],
  replayId: string,
): Promise<readonly string[]> => {
  const counts = await admin.partitionCounts(topics)
  const copies = topics.map((topic) => ({ topic: copyOf(topic, replayId), partitions: counts.get(topic) }))
  const created = await admin.createTopics(copies)
  const taken = copies.filter(({ topic }) => !created.includes(topic)).map(({ topic }) => topic)
  if (taken.length === 0) return created
  await admin.deleteTopics(created)
  throw idTaken(replayId, topicsExist('copies of outputs', taken))
}

/** The group first: the broker refuses that while it has members, and nothing is lost yet. */
const removeInternals = async (admin: Admin, topics: readonly string[], replayId: string): Promise<void> => {
  await admin.deleteGroup(replayId)
  await admin.deleteTopics(topics)
}

/** What a replay has made that did not start: none of it existed before, and nothing was written to it. */
const removeUnused = async (
  admin: Admin,
  topics: readonly string[],
  replayId: string,
  root: string,
): Promise<void> => {
  await removeInternals(admin, await existingOf(admin, topics), replayId)
  await deleteState(root)
}

/** The slots of the replay are free, as it has closed. Where another process has taken one since, the state stays. */
const deleteState = async (root: string): Promise<void> => {
  const lock = await lockApplicationState(root)
  if (lock.kind === 'taken') return
  lock.delete()
  lock.release()
}

/**
 * A replay writes to its copies, and deletes its group, its internal topics and its state at the end, so nothing of them
 * may exist before. An application's id that was given by mistake would lose its state, and what a replay left that was
 * killed would be taken for the result of this one.
 */
const refuseTaken = async (
  admin: Admin,
  topology: Topology,
  replayId: string,
  state: ApplicationState,
): Promise<void> => {
  const trace = (await traceOf(admin, topology, replayId)) ?? traceOnDisk(state)
  if (trace !== undefined) throw idTaken(replayId, trace)
}

const idTaken = (replayId: string, trace: string): Fault =>
  new Fault({
    code: 'REPLAY_ID_TAKEN',
    actor: 'author',
    message: `a replay cannot use the id '${replayId}': ${trace}`,
    remedy:
      'choose an id that nothing else has; the command line makes one from the time where --replay-id is left out',
  })

/** What there is of an application of that id already. */
const traceOf = async (admin: Admin, topology: Topology, replayId: string): Promise<string | undefined> => {
  const live = await liveGroup(admin, replayId)
  if (live !== undefined) return live
  const { size } = await admin.groupOffsets(replayId)
  if (size > 0) return 'its group has committed offsets'
  const { internal } = await ownTopicsOfGroup(admin, replayId)
  if (internal.length > 0) return topicsExist('its internal topics', internal)
  // Among the topics of `eu-shop` may be one that a replay `eu` would take for its own.
  const own = await existingOf(admin, internalTopicNamesOf(topology, replayId))
  return own.length === 0 ? undefined : topicsExist('its internal topics', own)
}

const traceOnDisk = ({ root, exists }: ApplicationState): string | undefined =>
  exists ? `its state directory ${root} exists` : undefined

const topicsExist = (which: string, topics: readonly string[]): string =>
  `${which} exist: ${topics.toSorted().join(', ')}`

const existingOf = async (admin: Admin, topics: readonly string[]): Promise<readonly string[]> => {
  const existing = new Set(await admin.listTopics())
  return topics.filter((topic) => existing.has(topic))
}

/**
 * Copies that exist are refused before anything is created. Those of topics that are chosen record by record cannot be
 * known, nor created by the replay; so they may exist, but no topic that could be one may have a record.
 */
const refuseCopies = async (
  admin: Admin,
  topology: Topology,
  outputs: readonly string[],
  replayId: string,
): Promise<void> => {
  const copies = await existingOf(
    admin,
    outputs.map((topic) => copyOf(topic, replayId)),
  )
  if (copies.length > 0) throw idTaken(replayId, topicsExist('copies of outputs', copies))
  if (!choosesSinks(topology)) return
  const candidates = (await admin.listTopics()).filter((topic) => topic.startsWith(`${replayId}-`))
  const written = [...(await endsOf(admin, candidates))].filter(([, end]) => end > 0).map(([topic]) => topic)
  if (written.length > 0)
    throw idTaken(replayId, `topics that it may choose have records: ${written.toSorted().join(', ')}`)
}
