import { describe, expect, it } from 'vitest'
import type { Bytes } from '../../src/base/bytes.ts'
import { systemClock } from '../../src/base/system-clock.ts'
import type { FailedRecord, SettingsInput, Topology } from '../../src/index.ts'
import { bytes, headerText, string, topic, topology } from '../../src/index.ts'
import type { Headers } from '../../src/topic/headers.ts'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { TopicClient } from '../support/topic-client.ts'
import { Order } from './support/failing-records.ts'
import { decode, during, encode, failureOf, raw } from './support/policy-runs.ts'

/** Records that the broker refuses, or that no topic is there for: every policy under both guarantees. */
const guarantees = ['at_least_once', 'exactly_once'] as const

interface Input {
  readonly key: Bytes | null
  readonly value: Bytes
  readonly timestamp: number
}

interface Refusal {
  readonly what: string
  readonly configs: Readonly<Record<string, string>>
  /** The second of three records is refused. */
  readonly bad: Input
  /** What the program writes instead of what it reads. */
  readonly written: (value: Bytes) => Bytes
  /** Where the broker tells of the hour, a dot stands for each digit. */
  readonly says: (to: string) => string
  readonly key: string
  readonly remedy: string
  readonly code: string
}

const limit = 1_000
const nowMs = systemClock.now()
const hour = '.'.repeat(String(nowMs).length)
const orLeaveOut = 'or set productionFailure to skip or deadLetter'

const refusals: readonly Refusal[] = [
  {
    what: "a record above its topic's max.message.bytes",
    configs: { 'max.message.bytes': `${limit}` },
    bad: { key: encode('bad'), value: encode('large'), timestamp: nowMs },
    written: (value) => (decode(value) === 'large' ? new Uint8Array(2 * limit) : value),
    says: (to) =>
      `Kafka refused to store a record: MESSAGE_TOO_LARGE (The request included a message larger than the max message size the server will accept), written to topic ${to}, partition 0`,
    key: '',
    remedy: `make the record smaller or raise the topic's max.message.bytes, ${orLeaveOut}`,
    code: 'Fault: RECORD_TOO_LARGE',
  },
  {
    what: 'a record without key for a compacted topic',
    configs: { 'cleanup.policy': 'compact' },
    bad: { key: null, value: encode('keyless'), timestamp: nowMs },
    written: (value) => value,
    says: (to) =>
      `Kafka refused to store a record: INVALID_RECORD (Compacted topic cannot accept message without key in topic partition ${to}-0), written to topic ${to}, partition 0`,
    key: '',
    remedy: `write what the topic accepts: a compacted topic takes no record without key, ${orLeaveOut}`,
    code: 'Fault: INVALID_RECORD',
  },
  {
    what: 'a record of a time that its topic does not take',
    configs: { 'message.timestamp.before.max.ms': '3600000' },
    bad: { key: encode('bad'), value: encode('old'), timestamp: 2_000 },
    written: (value) => value,
    says: (to) =>
      `Kafka refused to store a record: INVALID_TIMESTAMP (Timestamp 2000 of message with offset 1 is out of range. The timestamp should be within [${hour}, ${hour}]), written to topic ${to}, partition 0`,
    key: '',
    remedy: `fix the time of the record, or the topic's message.timestamp.before.max.ms and after.max.ms, ${orLeaveOut}`,
    code: 'Fault: INVALID_TIMESTAMP',
  },
]

interface Trial {
  readonly client: TopicClient
  readonly from: string
  readonly to: string
  readonly letters: string
  readonly program: Topology
}

const trialOf = async (client: TopicClient, { configs, bad, written }: Refusal): Promise<Trial> => {
  const [from, to, letters] = [uniqueName('in'), uniqueName('out'), uniqueName('letters')]
  await client.create({ name: from }, { name: letters })
  await client.admin.createTopics([{ topic: to, partitions: 1, configs }])
  await client.writeBytes(from, [
    { key: encode('a'), value: encode('1'), timestamp: nowMs },
    { ...bad, headers: [['trace', encode('t')]] },
    { key: encode('b'), value: encode('2'), timestamp: nowMs },
  ])
  const program = topology(uniqueName('copying'), (builder) => {
    builder
      .stream(raw(from), { name: 'read' })
      .mapValues((value) => written(value ?? new Uint8Array()), { name: 'write', value: bytes })
      .to(raw(to), { name: 'store' })
  })
  return { client, from, to, letters, program }
}

const valuesOf = async (client: TopicClient, name: string): Promise<readonly string[]> =>
  (await client.readAll(raw(name))).map(({ value }) => decode(value))

const messageFor = ({ says, key, remedy }: Refusal, { from, to }: Trial): string =>
  `${says(to)} (topic ${from}, partition 0, offset 1, node store${key}); ${remedy}`

const withoutHour = (message: string | undefined): string | undefined =>
  message?.replace(/\[\d+, \d+\]/, `[${hour}, ${hour}]`)

const errorsOf = (headers: Headers): readonly (string | undefined)[] =>
  ['exception', 'message', 'topic', 'partition', 'offset'].map((name) =>
    withoutHour(headerText(headers, `__streams.errors.${name}`)),
  )

describe.each(refusals)('$what', (refusal) => {
  describe.each(guarantees)('under %s', (processingGuarantee) => {
    it('stops the application, whose user reads where it comes from, unless a policy says otherwise', async () => {
      await using client = new TopicClient(kafkaBrokers())
      const trial = await trialOf(client, refusal)
      const message = await during(trial.program, { processingGuarantee }, failureOf)
      expect(withoutHour(message)).toBe(messageFor(refusal, trial))
      if (processingGuarantee === 'exactly_once') expect(await valuesOf(client, trial.to)).toEqual([])
    })

    it.each(['skip', 'deadLetter'] as const)(
      'is left out and counted under %s, and it alone',
      async (policy) => {
        await using client = new TopicClient(kafkaBrokers())
        const trial = await trialOf(client, refusal)
        const { to, letters } = trial
        const settings: Partial<SettingsInput> = {
          processingGuarantee,
          productionFailure: policy,
          deadLetterTopic: letters,
        }
        await during(trial.program, settings, async (application) => {
          await client.readUntil(raw(to), (records) => records.length >= 2)
          await client.writeBytes(trial.from, [{ key: encode('c'), value: encode('3') }])
          await client.readUntil(raw(to), (records) => records.length >= 3)
          expect(application.metrics.dropped).toEqual([{ node: 'store', reason: 'failed', records: 1 }])
        })
        expect(await valuesOf(client, to)).toEqual(['1', '2', '3'])
        const written = await client.readAll(raw(letters))
        expect(written).toHaveLength(policy === 'skip' ? 0 : 1)
        if (policy === 'skip') return
        const [letter] = written
        expect([letter?.key, letter?.value].map((each) => each && decode(each))).toEqual(
          [refusal.bad.key, refusal.bad.value].map((each) => each && decode(each)),
        )
        expect([letter?.timestamp, headerText(letter?.headers ?? [], 'trace')]).toEqual([
          refusal.bad.timestamp,
          't',
        ])
        expect(errorsOf(letter?.headers ?? [])).toEqual([
          refusal.code,
          messageFor(refusal, trial),
          trial.from,
          '0',
          '1',
        ])
      },
    )
  })
})

describe.each(guarantees)('under %s', (processingGuarantee) => {
  it('a batch that is too large only as a whole is stored in parts, in order', async () => {
    await using client = new TopicClient(kafkaBrokers())
    const [from, to] = [uniqueName('in'), uniqueName('out')]
    await client.create({ name: from })
    await client.admin.createTopics([
      { topic: to, partitions: 1, configs: { 'max.message.bytes': `${limit}` } },
    ])
    const values = Array.from({ length: 500 }, (_, index) => `${index}`.padStart(200, '.'))
    await client.writeBytes(
      from,
      values.map((value) => ({ key: encode('k'), value: encode(value) })),
    )
    const program = topology(uniqueName('copying'), (builder) => builder.stream(raw(from)).to(raw(to)))
    await during(program, { processingGuarantee }, () =>
      client.readUntil(raw(to), (records) => records.length >= values.length),
    )
    expect(await valuesOf(client, to)).toEqual(values)
  })

  it.each(['fail', 'skip', 'deadLetter'] as const)(
    'a record that chooses a topic that is missing is its own failure: %s',
    async (productionFailure) => {
      await using client = new TopicClient(kafkaBrokers())
      const [from, to, missing, deadLetterTopic] = ['in', 'out', 'missing', 'letters'].map(uniqueName) as [
        string,
        string,
        string,
        string,
      ]
      await client.create({ name: from }, { name: to }, { name: deadLetterTopic })
      await client.writeBytes(from, [
        { key: encode('a'), value: encode(to) },
        { key: encode('b'), value: encode(missing) },
        { key: encode('c'), value: encode(to) },
      ])
      const program = topology(uniqueName('routing'), (builder) => {
        builder
          .stream(topic(from, { key: string, value: string }))
          .to({ name: ({ value }) => value, key: string, value: string }, { name: 'route' })
      })
      const message =
        `topic ${missing} does not exist, written to topic ${missing} (topic ${from}, partition 0, offset 1, node route); ` +
        `create it: millrace topics --create --topic ${missing}, ${orLeaveOut}`
      const settings = { processingGuarantee, productionFailure, deadLetterTopic }
      if (productionFailure === 'fail') {
        expect(await during(program, settings, failureOf)).toBe(message)
        return
      }
      await during(program, settings, async (application) => {
        await client.readUntil(raw(to), (records) => records.length >= 2)
        expect(application.metrics.dropped).toEqual([{ node: 'route', reason: 'failed', records: 1 }])
      })
      const letters = await client.readAll(raw(deadLetterTopic))
      expect(letters.map(({ key }) => decode(key))).toEqual(productionFailure === 'skip' ? [] : ['b'])
      if (productionFailure === 'deadLetter')
        expect(errorsOf(letters[0]?.headers ?? [])).toEqual(['Fault: TOPIC_MISSING', message, from, '0', '1'])
    },
  )
})

it('a handler sees the record that a refused one was made from, and decides about it', async () => {
  await using client = new TopicClient(kafkaBrokers())
  const trial = await trialOf(client, refusals[0] as Refusal)
  const heard: FailedRecord[] = []
  const onFailedRecord = (failed: FailedRecord): 'deadLetter' => {
    heard.push(failed)
    return 'deadLetter'
  }
  const { program, to, from, letters } = trial
  await during(
    program,
    { deadLetterTopic: letters },
    () => client.readUntil(raw(to), (records) => records.length >= 2),
    { onFailedRecord },
  )
  expect(heard.map(({ stage, origin, record }) => [stage, origin, decode(record?.value)])).toEqual([
    ['production', { topic: from, partition: 0, offset: 1 }, 'large'],
  ])
  expect(await valuesOf(client, letters)).toEqual(['large'])
})

it('a handler that wants dead letters where no topic takes them fails the application', async () => {
  await using client = new TopicClient(kafkaBrokers())
  const { program } = await trialOf(client, refusals[0] as Refusal)
  const message = await during(program, {}, failureOf, { onFailedRecord: () => 'deadLetter' })
  expect(message).toBe(
    'onFailedRecord has answered deadLetter, but no topic takes dead letters; set deadLetterTopic',
  )
})

it('a change of state that its changelog refuses stops the application, whatever the policy', async () => {
  await using client = new TopicClient(kafkaBrokers())
  const [from, letters] = [uniqueName('in'), uniqueName('letters')]
  const program = topology(uniqueName('counting'), (builder) => {
    builder
      .stream(topic(from, { key: bytes, value: bytes }))
      .groupByKey()
      .aggregate({
        name: 'last',
        store: 'last',
        initial: () => '',
        add: (_: string | null, value: Bytes) => decode(value),
        value: string,
      })
  })
  await client.create({ name: from }, { name: letters })
  await client.admin.createTopics([
    {
      topic: `${program.name}-last-changelog`,
      partitions: 1,
      configs: { 'cleanup.policy': 'compact', 'max.message.bytes': `${limit}` },
    },
  ])
  await client.writeBytes(from, [{ key: encode('k'), value: new Uint8Array(2 * limit).fill(65) }])
  const settings = { productionFailure: 'deadLetter' as const, deadLetterTopic: letters }
  const message = await during(program, settings, failureOf)
  expect(message).toContain(`(topic ${program.name}-last-changelog, partition 0)`)
  expect(message).toMatch(/; make the record smaller or raise the topic's max\.message\.bytes$/)
  expect(await client.readAll(raw(letters))).toEqual([])
})

it('a dead letter that its topic refuses stops the application', async () => {
  await using client = new TopicClient(kafkaBrokers())
  const [from, to, letters] = [uniqueName('in'), uniqueName('out'), uniqueName('letters')]
  await client.create({ name: from })
  await client.admin.createTopics(
    [to, letters].map((each) => ({
      topic: each,
      partitions: 1,
      configs: { 'max.message.bytes': `${limit}` },
    })),
  )
  await client.writeBytes(from, [{ key: encode('k'), value: new Uint8Array(2 * limit) }])
  const program = topology(uniqueName('copying'), (builder) => builder.stream(raw(from)).to(raw(to)))
  const settings = { productionFailure: 'deadLetter' as const, deadLetterTopic: letters }
  expect(await during(program, settings, failureOf)).toContain(`(topic ${letters}, partition 0)`)
})

it('a transaction that is aborted takes its dead letters with it', async () => {
  await using client = new TopicClient(kafkaBrokers())
  const orders = topic(uniqueName('in'), { key: string, value: Order })
  const [to, letters] = [topic(uniqueName('out'), { key: string, value: Order }), uniqueName('letters')]
  await client.create(orders, to, { name: letters })
  await client.writeBytes(orders.name, [
    { key: encode('slow'), value: encode('{"amount":1}') },
    { key: encode('bad'), value: encode('{"amount":') },
  ])
  const first = Promise.withResolvers<{ amount: number }>()
  let attempts = 0
  const program = topology(uniqueName('aborting'), (builder) => {
    builder
      .stream(orders)
      .filter(({ key, value }) => key === 'slow' || value.amount > 0)
      .mapValuesAsync((order) => (attempts++ === 0 ? first.promise : Promise.resolve(order)), {
        name: 'ask',
        value: Order,
      })
      .to(to)
  })
  const settings: Partial<SettingsInput> = {
    processingGuarantee: 'exactly_once',
    deserializationFailure: 'deadLetter',
    deadLetterTopic: letters,
    processingRetryAttempts: 1,
    processingRetryBackoffMs: 1,
  }
  await during(program, settings, async () => {
    // The commit waits for the slow record. The dead letter of the other is written, and nobody may see it yet.
    await expect.poll(async () => (await client.readAll(raw(letters), 'read_uncommitted')).length).toBe(1)
    expect(await client.readAll(raw(letters))).toEqual([])
    first.reject(new Error('the service is away'))
    await client.readUntil(to, (records) => records.length >= 1)
  })
  expect(attempts).toBe(2)
  expect((await client.readAll(raw(letters))).map(({ key }) => decode(key))).toEqual(['bad'])
  expect(await client.readAll(raw(letters), 'read_uncommitted')).toHaveLength(2)
})
