import { join } from 'node:path'
import { expect, it } from 'vitest'
import { systemClock } from '../../src/base/system-clock.ts'
import { connect, start, string, topic, topology } from '../../src/index.ts'
import type { Topic } from '../../src/index.ts'
import { Admin } from '../../src/kafka/admin.ts'
import { Cluster } from '../../src/kafka/cluster.ts'
import { TcpTransport } from '../../src/kafka/connection/tcp-transport.ts'
import { millraceHere } from '../support/run-command.ts'
import type { Headers } from '../../src/topic/headers.ts'
import { TopicClient } from '../support/topic-client.ts'

/** A matcher would show a difference of a hundred thousand lines, and take minutes for it. */
const isSame = (actual: Headers | undefined, expected: Headers): boolean =>
  textOf(actual ?? []) === textOf(expected)
const textOf = (headers: Headers): string =>
  headers.map(([name, value]) => `${name}=${value?.join('.')}`).join()

type Texts = Topic<string, string>

const largestBytes = 8_000_000

/** Records above Kafka's usual limit of 1 MiB, where the topic and `maxRequestSize` allow them: on whatever broker. */
export const largeRecordsSuite = (
  brokers: () => string,
  folder: string,
  unique: (prefix: string) => string = (prefix) => prefix,
): void => {
  const createTopics = async (...names: readonly string[]): Promise<void> => {
    const transport = new TcpTransport({ brokers: brokers(), clientId: 'large-records' })
    const admin = new Admin(new Cluster({ transport, clock: systemClock }))
    const configs = { 'max.message.bytes': String(largestBytes) }
    await admin.createTopics(names.map((name) => ({ topic: name, partitions: 1, configs })))
    await transport.close()
  }

  it.each(['at_least_once', 'exactly_once'] as const)(
    'maxRequestSize allows records above 1 MiB to be written: %s',
    async (processingGuarantee) => {
      const input = topic(unique(`small-${processingGuarantee}`), { value: string })
      const output = topic(unique(`large-${processingGuarantee}`), { value: string })
      await createTopics(input.name, output.name)
      const doubling = topology(unique(`doubling-${processingGuarantee}`), (builder) =>
        builder
          .stream(input)
          .mapValues((text) => text.repeat(2))
          .to(output),
      )
      const settings = { bootstrapServers: brokers(), maxRequestSize: largestBytes }
      const client = connect(settings)
      const application = await start(doubling, {
        ...settings,
        processingGuarantee,
        stateDirectory: join(folder, processingGuarantee),
      })
      await client.write(input, [{ key: 'k', value: 'x'.repeat(2_000_000) }])
      await using reader = new TopicClient(brokers())
      const [record] = await reader.readUntil(output, (records) => records.length > 0)
      expect(record?.value).toHaveLength(4_000_000)
      await application.close()
      await client.close()
    },
  )

  it('a record with 100,000 headers is read, forwarded, repartitioned, failed, written and printed', async () => {
    const headers = Array.from({ length: 100_000 }, (_, index) => [`${index}`, Uint8Array.of(1)] as const)
    const [input, output, deadLetters] = ['in', 'out', 'dead'].map((name) =>
      topic(unique(`many-headers-${name}`), { value: string }),
    ) as [Texts, Texts, Texts]
    await createTopics(input.name, output.name, deadLetters.name)
    const forwarding = topology(unique('many-headers'), (builder) =>
      builder
        .stream(input)
        .filter(({ value }) => {
          if (value === 'bad') throw new Error('a bad record')
          return true
        })
        .mapValues((text) => `${text}!`)
        .process<string, string>((context) => ({
          process: ({ key, value, headers: read }) =>
            context.forward({ key, value, headers: [...read, ['last', Uint8Array.of(2)]] }),
        }))
        .repartition({ name: 'again', partitions: 1, value: string })
        .to(output),
    )
    const settings = { bootstrapServers: brokers(), maxRequestSize: largestBytes }
    const client = connect(settings)
    await client.write(input, [
      { key: 'k', value: 'bad', headers },
      { key: 'k', value: 'good', headers },
    ])
    const application = await start(forwarding, {
      ...settings,
      processingFailure: 'deadLetter',
      deadLetterTopic: deadLetters.name,
      stateDirectory: join(folder, 'many-headers'),
    })
    await using reader = new TopicClient(brokers())
    const [record] = await reader.readUntil(output, (records) => records.length > 0)
    expect(record).toMatchObject({ key: 'k', value: 'good!' })
    expect(isSame(record?.headers, [...headers, ['last', Uint8Array.of(2)]])).toBe(true)
    const [letter] = await reader.readUntil(deadLetters, (records) => records.length > 0)
    expect(letter).toMatchObject({ key: 'k', value: 'bad' })
    expect(isSame(letter?.headers.slice(0, headers.length), headers)).toBe(true)
    expect(letter?.headers.length).toBeGreaterThan(headers.length)
    await application.close()
    await client.close()
    const { code, stdout } = await millraceHere([
      ...['consume', '--topic', output.name, '--bootstrap-server', brokers()],
      ...['--from-beginning', '--max-messages', '1', '--property', 'print.headers=true'],
    ])
    expect(code).toBe(0)
    expect(stdout.split(',').length).toBe(headers.length + 1)
  })

  it('a record above maxRequestSize names the setting', async () => {
    const name = unique('unwritable')
    await createTopics(name)
    const client = connect({ bootstrapServers: brokers(), maxRequestSize: 2_000_000 })
    const writing = client.write(topic(name, { value: string }), [{ key: 'k', value: 'x'.repeat(2_000_000) }])
    await expect(writing).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
      remedy: "make it smaller, or raise maxRequestSize and the topic's max.message.bytes",
    })
    await client.close()
  })
}
