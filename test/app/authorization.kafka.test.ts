import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AclEntry, Admin } from 'kafkajs'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { messageOf } from '../../src/base/fault.ts'
import type { Application, SettingsInput, StartOptions, Topology } from '../../src/index.ts'
import { long, start, string, topic, topology } from '../../src/index.ts'
import { freePorts } from '../support/free-port.ts'
import { uniqueName } from '../support/kafka/kafka-brokers.ts'
import { startKafka } from '../support/kafka/start-kafka.ts'
import type { StartedKafka } from '../support/kafka/started-kafka.ts'
import { TopicClient } from '../support/topic-client.ts'
import { decode, encode, failureOf, raw } from './support/policy-runs.ts'

/**
 * A broker that asks for rights (ACLs): those that docs/production.md lists are enough for an application, and each of
 * them is needed, as is told to a user who lacks it.
 */
const guarantees = ['at_least_once', 'exactly_once'] as const
type Guarantee = (typeof guarantees)[number]

interface Places {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly letters: string
}

interface Right {
  readonly resource: AclResourceTypes
  readonly operations: readonly AclOperationTypes[]
  /** A name, or what names begin with where it ends with a dash. */
  readonly name: (places: Places) => string
}

const { TOPIC, GROUP, TRANSACTIONAL_ID } = AclResourceTypes
const { READ, WRITE, CREATE, DELETE } = AclOperationTypes
const input = ({ from }: Places): string => from
const output = ({ to }: Places): string => to
const deadLetters = ({ letters }: Places): string => letters
const group = ({ id }: Places): string => id
const own = ({ id }: Places): string => `${id}-`

const rights = {
  'READ on its input': { resource: TOPIC, operations: [READ], name: input },
  'WRITE on its output': { resource: TOPIC, operations: [WRITE], name: output },
  'WRITE on its dead letter topic': { resource: TOPIC, operations: [WRITE], name: deadLetters },
  'CREATE on its own topics': { resource: TOPIC, operations: [CREATE], name: own },
  'READ on its own topics': { resource: TOPIC, operations: [READ], name: own },
  'WRITE on its own topics': { resource: TOPIC, operations: [WRITE], name: own },
  'DELETE on its own topics': { resource: TOPIC, operations: [DELETE], name: own },
  'READ on its group': { resource: GROUP, operations: [READ], name: group },
  'WRITE on its transactions': { resource: TRANSACTIONAL_ID, operations: [WRITE], name: own },
} satisfies Record<string, Right>
type RightName = keyof typeof rights
const allRights = Object.keys(rights) as RightName[]

const users = Array.from({ length: 32 }, (_, index) => `user${index}`)
const folder = mkdtempSync(join(tmpdir(), 'millrace-rights-'))
let kafka: StartedKafka
let admin: Admin
let address: string

beforeAll(async () => {
  address = `127.0.0.1:${(await freePorts(1))[0]}`
  const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
  const listener = 'listener.name.clients'
  kafka = await startKafka({
    exclusive: true,
    via: 'jars',
    listeners: [{ name: 'CLIENTS', protocol: 'SASL_PLAINTEXT', address }],
    properties: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
      [`${listener}.sasl.enabled.mechanisms`]: 'PLAIN',
      [`${listener}.plain.sasl.jaas.config`]: `${login} ${users.map((user) => `user_${user}="secret"`).join(' ')};`,
    },
  })
  admin = new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
})

afterAll(async () => {
  await admin?.disconnect()
  await kafka?.close()
  rmSync(folder, { recursive: true, force: true })
})

const entriesOf = (user: string, places: Places, name: RightName): AclEntry[] => {
  const right: Right = rights[name]
  const resourceName = right.name(places)
  return right.operations.map((operation) => ({
    resourceType: right.resource,
    resourceName,
    resourcePatternType: resourceName.endsWith('-')
      ? ResourcePatternTypes.PREFIXED
      : ResourcePatternTypes.LITERAL,
    principal: `User:${user}`,
    host: '*',
    operation,
    permissionType: AclPermissionTypes.ALLOW,
  }))
}

const grant = async (user: string, places: Places, names: readonly RightName[]): Promise<void> => {
  await admin.createAcls({ acl: names.flatMap((name) => entriesOf(user, places, name)) })
}

const revoke = async (user: string, places: Places, name: RightName): Promise<void> => {
  await admin.deleteAcls({ filters: entriesOf(user, places, name) })
}

/** An application that has a topic of each kind, and whose user is its own. */
class Trial implements AsyncDisposable {
  readonly user = users.pop() as string
  readonly places = {
    id: uniqueName('counting'),
    from: uniqueName('in'),
    to: uniqueName('out'),
    letters: uniqueName('letters'),
  }
  readonly client = new TopicClient(kafka.brokers)
  readonly #settings: Partial<SettingsInput>

  constructor(settings: Partial<SettingsInput>) {
    this.#settings = settings
  }

  async prepare(names: readonly RightName[]): Promise<void> {
    const { from, to, letters } = this.places
    await this.client.create({ name: from }, { name: to }, { name: letters })
    await grant(this.user, this.places, names)
  }

  async write(...values: readonly string[]): Promise<void> {
    await this.client.writeBytes(
      this.places.from,
      values.map((value) => ({ key: encode('k'), value: encode(value) })),
    )
  }

  /** The keys of the first counts that are there. */
  async counted(atLeast: number): Promise<readonly string[]> {
    const counts = await this.client.readUntil(
      raw(this.places.to),
      (records) => new Set(records.map(({ key }) => decode(key))).size >= atLeast,
    )
    return [...new Set(counts.map(({ key }) => decode(key)))]
  }

  async during<T>(done: (application: Application) => Promise<T>, options: StartOptions = {}): Promise<T> {
    const settings: SettingsInput = {
      bootstrapServers: address,
      sasl: { mechanism: 'PLAIN', username: this.user, password: 'secret' },
      stateDirectory: join(folder, this.user),
      deserializationFailure: 'deadLetter',
      deadLetterTopic: this.places.letters,
      ...this.#settings,
    }
    const application = await start(counting(this.places), settings, options)
    try {
      return await done(application)
    } finally {
      await application.close()
    }
  }

  /** What the user reads when the application ends. */
  failure(): Promise<string> {
    return this.during(failureOf).catch(messageOf)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]()
  }
}

/** Counts by value, behind a repartition topic. */
const counting = ({ id, from, to }: Places): Topology =>
  topology(id, (builder) => {
    builder
      .stream(topic(from, { key: string, value: string }))
      .selectKey(({ value }) => value)
      .repartition({ name: 'by-value', key: string, value: string })
      .groupByKey()
      .count({ store: 'counts' })
      .toStream()
      .to(topic(to, { key: string, value: long }))
  })

const trialWith = async (
  processingGuarantee: Guarantee,
  without?: RightName,
  settings: Partial<SettingsInput> = {},
): Promise<Trial> => {
  const trial = new Trial({ processingGuarantee, ...settings })
  await trial.prepare(allRights.filter((name) => name !== without))
  await trial.write('a')
  return trial
}

const onTopics =
  'grant the user READ on a topic that is read, WRITE on one that is written, and CREATE too on those that are made'

const lacks: readonly (readonly [RightName, (places: Places) => RegExp])[] = [
  ['READ on its input', ({ from }) => topicRefusal('describe a topic', from)],
  ['WRITE on its output', ({ to }) => topicRefusal('describe a topic', to)],
  ['WRITE on its dead letter topic', ({ letters }) => topicRefusal('describe a topic', letters)],
  ['CREATE on its own topics', ({ id }) => topicRefusal('create a topic', `${id}-[a-z-]+`)],
  [
    'READ on its own topics',
    ({ id }) => topicRefusal('fetch records', `${id}-[a-z-]+, partition 0, offset 0`),
  ],
  ['WRITE on its own topics', ({ id }) => topicRefusal('store a record', `${id}-[a-z-]+, partition 0`)],
  [
    'READ on its group',
    ({ id }) =>
      new RegExp(
        `^Kafka refused to .* group ${id}.*: GROUP_AUTHORIZATION_FAILED \\(.+\\).*; grant the user READ on the group$`,
      ),
  ],
]

const topicRefusal = (doing: string, name: string): RegExp =>
  new RegExp(
    `^Kafka refused to ${doing}: TOPIC_AUTHORIZATION_FAILED \\((Topic a|A)uthorization failed\\) \\(topic ${name}\\); ${onTopics}$`,
  )

describe.each(guarantees)('under %s', (guarantee) => {
  it('an application with the rights that the documents list makes its topics and runs', async () => {
    await using trial = await trialWith(guarantee)
    expect(await trial.during(() => trial.counted(1))).toEqual(['a'])
  })

  it.each(lacks)('one without %s fails, and tells its user', async (name, message) => {
    await using trial = await trialWith(guarantee, name)
    expect(await trial.failure()).toMatch(message(trial.places))
  })

  it('one without DELETE on its own topics runs, and warns that they grow', async () => {
    await using trial = await trialWith(guarantee, 'DELETE on its own topics', {
      repartitionPurgeIntervalMs: 1,
    })
    const refused = /^repartition topics could not be purged: Kafka refused to .*TOPIC_AUTHORIZATION_FAILED/
    const warnings: string[] = []
    const onWarning = (message: string): void => void warnings.push(message)
    await trial.during(
      async () => {
        await trial.counted(1)
        await trial.write('b')
        await expect.poll(() => warnings.find((each) => refused.test(each))).toBeDefined()
      },
      { onWarning },
    )
  })

  it('one that loses a right stops whatever the policy, and goes on where it was when it has it again', async () => {
    await using trial = await trialWith(guarantee, undefined, { productionFailure: 'skip' })
    const { user, places } = trial
    await trial.during(async (application) => {
      await trial.counted(1)
      await revoke(user, places, 'WRITE on its output')
      await trial.write('b', 'c')
      await expect.poll(() => application.state).toBe('failed')
      expect(messageOf(application.failure)).toContain('TOPIC_AUTHORIZATION_FAILED')
      expect(messageOf(application.failure)).toContain(`topic ${places.to}`)
      expect(application.metrics.dropped).toEqual([])
    })
    await grant(user, places, ['WRITE on its output'])
    expect(await trial.during(() => trial.counted(3))).toEqual(['a', 'b', 'c'])
  })
})

it('one without WRITE on its transactions fails, and tells its user', async () => {
  await using trial = await trialWith('exactly_once', 'WRITE on its transactions')
  expect(await trial.failure()).toMatch(
    new RegExp(
      `^Kafka refused to name the coordinator of transaction ${trial.places.id}-\\S+: TRANSACTIONAL_ID_AUTHORIZATION_FAILED \\(.+\\); grant the user WRITE on the transactional id$`,
    ),
  )
})
