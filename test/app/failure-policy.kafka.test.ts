import { describe, expect, it } from 'vitest'
import { messageOf } from '../../src/base/fault.ts'
import type { SettingsInput, Topology } from '../../src/index.ts'
import { headerText, string, topic, topology, within } from '../../src/index.ts'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { TopicClient } from '../support/topic-client.ts'
import type { FailingRecord } from './support/failing-records.ts'
import { failingRecords, Order } from './support/failing-records.ts'
import { decode, during, encode, failureOf, raw } from './support/policy-runs.ts'

/** Every handler, every policy, every kind of error on a real broker: what becomes of the record, and what a user reads. */
const goodKey = (last: number): Uint8Array => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, last)

/** Three records of which the second fails. */
const withInput = async (client: TopicClient, failing: FailingRecord): Promise<string> => {
  const input = { name: uniqueName('in') }
  await client.create(input)
  await client.writeBytes(input.name, [
    { key: goodKey(1), value: encode('{"amount":1}'), timestamp: 1_000 },
    { key: encode(failing.key), value: encode(failing.value), timestamp: 2_000 },
    { key: goodKey(2), value: encode('{"amount":2}'), timestamp: 3_000 },
  ])
  return input.name
}

const messageFor = ({ says, node, remedy }: FailingRecord, from: string, to: string): string =>
  `${says(to)} (topic ${from}, partition 0, offset 1, node ${node}); ${remedy}`

describe.each(failingRecords)('$what', (failing) => {
  const { handler, node, program } = failing

  it('stops the application, whose user reads where it stands, unless a policy says otherwise', async () => {
    await using client = new TopicClient(kafkaBrokers())
    const [from, to] = [await withInput(client, failing), uniqueName('out')]
    await client.create({ name: to })
    const message = await during(program(uniqueName('strict'), from, to), {}, failureOf)
    expect(message).toBe(messageFor(failing, from, to))
  })

  it.each(['skip', 'deadLetter'] as const)('is left out and counted under %s', async (policy) => {
    await using client = new TopicClient(kafkaBrokers())
    const [from, to, letters] = [await withInput(client, failing), uniqueName('out'), uniqueName('letters')]
    await client.create({ name: to }, { name: letters })
    const settings = {
      [handler]: policy,
      deadLetterTopic: letters,
      processingGuarantee: policy === 'deadLetter' ? ('exactly_once' as const) : ('at_least_once' as const),
    }
    await during(program(uniqueName('lenient'), from, to), settings, async (application) => {
      await client.readUntil(raw(to), (records) => records.length >= 2)
      expect(application.metrics.dropped).toEqual([{ node, reason: 'failed', records: 1 }])
    })
    const written = await client.readAll(raw(letters))
    expect(written).toHaveLength(policy === 'skip' ? 0 : 1)
    if (policy === 'skip') return
    const [letter] = written
    expect([decode(letter?.key), decode(letter?.value), letter?.timestamp]).toEqual([
      failing.key,
      failing.value,
      2_000,
    ])
    const texts = (letter?.headers ?? []).map(([name]) => [name, headerText(letter?.headers ?? [], name)])
    expect(texts).toEqual([
      ['__streams.errors.exception', failing.exception],
      ['__streams.errors.message', messageFor(failing, from, to)],
      ['__streams.errors.stacktrace', expect.stringContaining('\n    at ')],
      ['__streams.errors.topic', from],
      ['__streams.errors.partition', '0'],
      ['__streams.errors.offset', '1'],
    ])
  })
})

describe('what no policy is asked about', () => {
  const copying = (from: string, to: string): Topology =>
    topology(uniqueName('copying'), (builder) => {
      builder.stream(topic(from, { key: string, value: Order })).to(topic(to, { key: string, value: Order }))
    })

  const missing = (name: string): string =>
    `topic ${name} does not exist (topic ${name}); create it: millrace topics --create --topic ${name}`

  const startingFails = async (program: Topology, settings: Partial<SettingsInput> = {}): Promise<string> => {
    try {
      return await during(program, settings, () => Promise.resolve('it started'))
    } catch (error) {
      return messageOf(error)
    }
  }

  it('is a topic to read that is missing', async () => {
    const name = uniqueName('missing')
    const program = copying(name, uniqueName('out'))
    expect(await startingFails(program)).toBe(
      `topology '${program.name}' reads topic '${name}', which does not exist (topic ${name}); create it: millrace topics --create --topic ${name}`,
    )
  })

  it('is a topic to write that is missing', async () => {
    await using client = new TopicClient(kafkaBrokers())
    const [from, to] = [uniqueName('in'), uniqueName('missing')]
    await client.create({ name: from })
    expect(await startingFails(copying(from, to))).toBe(missing(to))
  })

  it('are topics to join that have different numbers of partitions', async () => {
    await using client = new TopicClient(kafkaBrokers())
    const orders = topic(uniqueName('orders'), { key: string, value: Order })
    const payments = topic(uniqueName('payments'), { key: string, value: Order })
    await client.create({ name: orders.name, partitions: 3 }, { name: payments.name, partitions: 2 })
    const program = topology(uniqueName('joining'), (builder) => {
      builder
        .stream(orders)
        .join(builder.stream(payments), ({ amount }) => amount, { name: 'paid', windows: within(10) })
        .forEach(() => undefined)
    })
    expect(await startingFails(program)).toBe(
      `topics that are joined or cogrouped must have as many partitions as each other: ${orders.name} has 3, ${payments.name} has 2 (node paid); write one of them through \`repartition\` with \`partitions\`, or read the table as a global one`,
    )
  })

  it('is a host that nobody knows', async () => {
    const bootstrapServers = 'no-such-host.invalid:9092'
    const message = await startingFails(copying('in', 'out'), { bootstrapServers, requestTimeoutMs: 2_000 })
    expect(message).toMatch(
      /^no Kafka broker answers at no-such-host\.invalid:9092 \(.*\); start Kafka there/,
    )
  })
})
