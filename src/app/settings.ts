import * as z from 'zod'
import { Fault } from '../base/fault.ts'
import { nearest } from '../base/nearest.ts'
import { defaultMaxRequestSize } from '../topic/record-size.ts'
import { isLegalTopicName } from '../topic/topic.ts'
import { uncaughtFailureResponses } from '../runtime/uncaught-failure.ts'
import { isProduction } from './environment.ts'
import { isEndpoint } from './queries/endpoint.ts'

/**
 * The settings of an application: Kafka's names in camelCase, units last, every default written down. Parsed once at the
 * edge; whatever is unknown is refused with the nearest name suggested.
 */
const secret = z.union([z.string(), z.strictObject({ file: z.string() })])

/** Several separated by commas, or as a list. */
const list = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => (typeof given === 'string' ? given.split(',') : given).map((each) => each.trim()))

/** The certificate of the listener of queries, in PEM files. */
const queryTlsSettings = z.strictObject({
  certFile: z.string(),
  keyFile: z.string(),
  keyPassword: secret.optional(),
  /** The authority of the other processes, and of clients. */
  caFile: z.string().optional(),
  clientAuth: z.enum(['none', 'required']).default('none'),
})

const endpoint = z.string().refine(isEndpoint, 'must be host:port')

const saslSettings = z.strictObject({
  mechanism: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']),
  username: z.string().optional(),
  /** The password, or `{ file }` to read it from. */
  password: secret.optional(),
  /** The bearer token of OAUTHBEARER, or `{ file }` to read it from. */
  token: secret.optional(),
})

const tlsSettings = z.strictObject({
  /** PEM files. */
  caFile: z.string().optional(),
  certFile: z.string().optional(),
  keyFile: z.string().optional(),
  keyPassword: secret.optional(),
  serverName: z.string().optional(),
  rejectUnauthorized: z.boolean().default(true),
})

/** What proves who asks; never empty, as that would prove nothing. */
const proof = z.union([z.string().min(1), z.strictObject({ file: z.string() })])

/** What becomes of a record that can't be read, processed or written. */
const policy = z.enum(['fail', 'skip', 'deadLetter'])

/** Kafka's rule for the names of topics and for group instance ids. */
const kafkaName = z
  .string()
  .refine(isLegalTopicName, 'must be a name of 1 to 249 of a-z, A-Z, 0-9, dot, underscore and hyphen')

export const settingsSchema = z.strictObject({
  /** `host:port`, several separated by commas or as a list. */
  bootstrapServers: list,
  /** The group and the prefix of internal topics; defaults to the topology's name. */
  applicationId: kafkaName.optional(),
  clientId: z.string().min(1).max(32_767).optional(),
  /** Where durable stores lie, a folder for each application. */
  stateDirectory: z.string().min(1).default('.millrace'),
  /** How long state is kept on disk: of tasks not assigned to this process, in slots that no process holds, or set aside. */
  stateCleanupDelayMs: z.int().min(0).default(600_000),
  /**
   * About how many bytes all stores of the process take for their caches, each an equal part: of changes before it writes
   * some to its changelog early, and of rows that are on disk too.
   */
  stateCacheMaxBytes: z
    .int()
    .min(0)
    .default(128 * 1024 * 1024),
  /** Objects that stores hold, and those that several steps get, are frozen, so that only a put changes the state. */
  freezeState: z.boolean().default(() => !isProduction()),
  /** `exactly_once` makes records, state and offsets one transaction; `at_least_once` may repeat after a crash. */
  processingGuarantee: z.enum(['at_least_once', 'exactly_once']).default('at_least_once'),
  /** How long the broker lets a transaction stay open; how long others wait for one that a crash left behind. */
  transactionTimeoutMs: z.int32().min(1_000).default(10_000),
  /** Where to begin without a committed offset. */
  autoOffsetReset: z.enum(['earliest', 'latest', 'none']).default('earliest'),
  /** The application commits when its input is drained, or after this long, whichever comes first. */
  commitIntervalMs: z.int().min(1).default(100),
  /**
   * After how long without a record stream time follows the clock, so that windows close while an input is silent.
   * Defaults to never: stream time is then the records' own, and a replay gives the same results.
   */
  idleAdvanceMs: z.int().min(1).optional(),
  /** How far the time of an input's record may be ahead of the clock before the record fails; any time by default. */
  maxTimestampAheadMs: z.int().min(0).optional(),
  /**
   * How long timers of a task wait after a start, a pause or a stall, until its inputs are read to the ends they had then.
   */
  wallClockCatchUpTimeoutMs: z.int().min(0).default(300_000),
  /** How long a fetch may wait at the broker for something to come. */
  fetchMaxWaitMs: z.int32().min(1).default(500),
  /** How many records one task processes before the others get their turn. */
  maxPollRecords: z.int().min(1).default(1_000),
  /** How long records of all tasks are processed before heartbeats, timers and fetches run. */
  maxPollDurationMs: z.int().min(1).default(50),
  /** Bytes fetched ahead of processing, over all partitions; fetching pauses beyond it. */
  inputBufferMaxBytes: z
    .int()
    .min(1)
    .default(64 * 1024 * 1024),
  /** Whether a batch whose checksum is wrong is refused, in inputs, changelogs and global tables alike. */
  checkCrcs: z.boolean().default(true),
  sessionTimeoutMs: z.int32().min(100).default(45_000),
  heartbeatIntervalMs: z.int().min(10).default(1_000),
  rebalanceTimeoutMs: z.int32().min(100).default(60_000),
  /** How often source topics are looked at: new ones that a pattern matches, and more partitions. */
  metadataMaxAgeMs: z.int().min(10).default(300_000),
  /** Keeps the place of this process in the group over a restart (static membership). */
  groupInstanceId: kafkaName.optional(),
  /** How many copies of each task's state are kept on other processes, ready to take it over. */
  standbyReplicas: z.int().min(0).default(0),
  /** A process whose copy of a task's state is behind by no more records than this may run the task at once. */
  acceptableRecoveryLag: z.int().min(0).default(10_000),
  /** How many tasks at a time may have their state built up where they will move, while they run where they are. */
  maxWarmupReplicas: z.int().min(1).default(2),
  /** How often a rebalance is asked for while state is being built up somewhere, if nothing else brings one. */
  probingRebalanceIntervalMs: z.int().min(1_000).default(600_000),
  /** `host:port` where others reach the interactive queries of this process; the assignment carries it to the whole group. */
  applicationServer: endpoint.optional(),
  /** `host:port` where queries are served; defaults to on loopback with the port of `applicationServer`. */
  queryListen: endpoint.optional(),
  /** `host:port` where health and metrics are served alone, without access to stores. */
  healthListen: endpoint.optional(),
  /** Hosts that requests may name, besides those that a listener answers to anyway; `*.example.org` for all names below. */
  queryAllowedHosts: list.optional(),
  /** Origins of web pages that may read the answers, such as `https://dashboard.example.org`. */
  queryAllowedOrigins: list.optional(),
  /** The bearer token that requests must carry, or `{ file }` to read it from. */
  queryToken: proof.optional(),
  /** The secret by which processes of the application recognise each other. Defaults to `queryToken`. */
  queryMemberSecret: proof.optional(),
  /** The only hosts that are asked for what other processes have. */
  queryMemberHosts: list.optional(),
  queryTls: queryTlsSettings.optional(),
  /** What queries see: only what is committed (the default under `exactly_once`), or also what came after. */
  queryIsolation: z.enum(['read_committed', 'read_uncommitted']).optional(),
  /** How long a query waits for a store that moves or is restored, or for its process to answer. */
  queryTimeoutMs: z.int().min(0).default(5_000),
  /** Replicas of internal topics; -1 leaves it to the broker. */
  replicationFactor: z.int().min(-1).max(32_767).default(-1),
  /** About how often records of repartition topics are deleted that have been processed and committed. */
  repartitionPurgeIntervalMs: z.int().min(1).default(30_000),
  requestTimeoutMs: z.int32().min(1).default(30_000),
  /** The largest record that may be written, and about the largest request. A topic has a limit too: `max.message.bytes`. */
  maxRequestSize: z.int().min(1_024).max(1_073_741_824).default(defaultMaxRequestSize),
  /** How long a record may take to be acknowledged, retries included. */
  deliveryTimeoutMs: z.int().min(1).default(120_000),
  lingerMs: z.int().min(0).default(20),
  compressionType: z.enum(['none', 'gzip', 'snappy', 'lz4', 'zstd']).default('none'),
  deserializationFailure: policy.default('fail'),
  processingFailure: policy.default('fail'),
  /** So often a record whose processing fails is tried again, from the last commit, before `processingFailure` decides. */
  processingRetryAttempts: z.int().min(0).default(0),
  /** The pause before that; the other tasks of its stream thread wait too. */
  processingRetryBackoffMs: z.int().min(0).max(30_000).default(1_000),
  productionFailure: policy.default('fail'),
  /** Takes the records of the policy `deadLetter`, with the headers of KIP-1034. */
  deadLetterTopic: kafkaName.optional(),
  /** Logs, warnings and dead letter headers quote parts of records: keys, values, and what errors say of them. */
  logRecordContents: z.boolean().default(false),
  /**
   * What becomes of a failure that no policy deals with: the stream thread is replaced, this application stops, or every member
   * of its group does.
   */
  uncaughtFailure: z.enum(uncaughtFailureResponses).default('stopClient'),
  /** More failures than this within a minute are no longer met by `replaceThread`, and the application stops. */
  maxReplacementsPerMinute: z.int().min(1).default(5),
  tls: tlsSettings.optional(),
  sasl: saslSettings.optional(),
})

/** What a user gives. */
export type SettingsInput = z.input<typeof settingsSchema>
/** What the program works with: every default filled in. */
export type Settings = z.output<typeof settingsSchema>

/**
 * Checks settings and fills in the defaults.
 *
 * @example
 * parseSettings({ bootstrapServers: 'localhost:9092' }).commitIntervalMs // 100
 */
export const parseSettings = (input: SettingsInput): Settings => {
  const parsed = settingsSchema.safeParse(input)
  const issues = parsed.success ? conflictsOf(parsed.data) : parsed.error.issues.map(describeIssue)
  if (parsed.success && issues.length === 0) return parsed.data
  throw new Fault({
    code: 'SETTINGS_INVALID',
    actor: 'author',
    message: `the settings are wrong: ${issues.join('; ')}`,
  })
}

const conflictsOf = (settings: Settings): readonly string[] => {
  const conflicts: string[] = []
  const policies = [settings.deserializationFailure, settings.processingFailure, settings.productionFailure]
  if (policies.includes('deadLetter') && settings.deadLetterTopic === undefined)
    conflicts.push('a policy is deadLetter, but no deadLetterTopic is named')
  if (
    settings.processingGuarantee === 'exactly_once' &&
    settings.transactionTimeoutMs <= settings.commitIntervalMs
  )
    conflicts.push(
      'transactionTimeoutMs must be above commitIntervalMs, or the broker ends transactions under way',
    )
  if (settings.heartbeatIntervalMs >= settings.sessionTimeoutMs)
    conflicts.push('heartbeatIntervalMs must be below sessionTimeoutMs (a third of it is usual)')
  const { sasl, queryTls } = settings
  return [
    ...conflicts,
    ...(sasl === undefined ? [] : missingCredentials(sasl)),
    ...(queryTls === undefined ? [] : missingAuthority(queryTls)),
  ]
}

const missingAuthority = ({ clientAuth, caFile }: NonNullable<Settings['queryTls']>): readonly string[] =>
  clientAuth === 'required' && caFile === undefined
    ? ['queryTls.clientAuth is required, but no queryTls.caFile names the authority of the certificates']
    : []

const missingCredentials = (sasl: NonNullable<Settings['sasl']>): readonly string[] => {
  const needed = sasl.mechanism === 'OAUTHBEARER' ? (['token'] as const) : (['username', 'password'] as const)
  return needed
    .filter((name) => sasl[name] === undefined)
    .map((name) => `sasl.${name} is missing, and ${sasl.mechanism} needs it`)
}

const groups: Readonly<Record<string, z.ZodObject>> = {
  tls: tlsSettings,
  sasl: saslSettings,
  queryTls: queryTlsSettings,
}

const describeIssue = (issue: z.core.$ZodIssue): string => {
  if (issue.code !== 'unrecognized_keys') return `${issue.path.join('.') || 'settings'}: ${issue.message}`
  const group = String(issue.path[0])
  const known = groups[group] ?? settingsSchema
  return issue.keys
    .map((key) => {
      const near = nearest(key, Object.keys(known.shape))
      return `there is no setting '${[...issue.path, key].join('.')}'${near === undefined ? '' : `; did you mean '${near}'?`}`
    })
    .join('; ')
}
