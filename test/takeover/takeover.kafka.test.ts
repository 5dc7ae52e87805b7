import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { start } from 'millrace'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/base/system-clock.ts'
import { decodeOffsetMetadata } from '../../src/runtime/offset-metadata.ts'
import { bytes } from '../../src/topic/serdes.ts'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { ensureKafkaJars } from '../support/kafka/kafka-jars.ts'
import { runProcess, runToEnd } from '../support/run-process.ts'
import { TopicClient, type ReadRecord } from '../support/topic-client.ts'
import { orderApplication, orderTopics, type OrderTopics } from './order-application.ts'

/**
 * Kafka Streams stops, Millrace goes on with its offsets and state, stops, and Kafka Streams goes on again. What comes
 * out must be what one Kafka Streams, never disturbed, makes of the same records. The input of each part is written
 * while nobody runs: who lost the offsets would count twice, who lost the state would begin at nothing.
 */
const partitions = 2
const inputs = ['orders', 'payments', 'customers'] as const
const outputs = ['counts', 'windowCounts', 'sessionCounts', 'paidOrders', 'tieredOrders'] as const
const repartitions = ['orders-by-customer-repartition', 'order-customer-repartition'] as const
/** Which stores have changelogs, and how many bytes at the end of their keys only number entries in order of arrival. */
const changelogs = {
  customers: 0,
  'order-counts': 0,
  'window-counts': 0,
  'session-counts': 0,
  'order-payment-this-join-store': 4,
  'order-payment-other-join-store': 4,
} as const

describe('an application of Kafka Streams that Millrace takes over and gives back', () => {
  let folder: string
  let classPath: string
  let client: TopicClient

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-takeover-'))
    const jars = join(await ensureKafkaJars(), '*')
    const source = join(import.meta.dirname, 'OrderApplication.java')
    await runToEnd('javac', ['-d', folder, '-cp', jars, source], { deadlineMs: 60_000 })
    classPath = `${folder}:${jars}`
    client = new TopicClient(kafkaBrokers())
  })

  afterAll(async () => {
    await client[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  /** An application id of its own; its topics begin with it too. */
  const prepare = async (name: string, guarantee: Guarantee = 'at_least_once'): Promise<Trial> => {
    const id = uniqueName(name)
    const topics = orderTopics(id)
    await client.create(...Object.values(topics).map((each) => ({ name: each.name, partitions })))
    return { id, topics, guarantee, stateFolder: join(folder, id) }
  }

  const write = async ({ topics }: Trial, part: Part): Promise<void> => {
    for (const input of inputs) await client.write(topics[input], part[input])
  }

  const runKafkaStreams = async (trial: Trial): Promise<void> => {
    const args = ['-Xmx256m', '-cp', classPath, 'OrderApplication', kafkaBrokers(), trial.id, trial.id]
    const theirs = trial.guarantee === 'exactly_once' ? 'exactly_once_v2' : trial.guarantee
    await using running = runProcess('java', [...args, trial.stateFolder, theirs])
    const ended = running.waitForExit(90_000).then(({ code }) => {
      throw new Error(`Kafka Streams ended with ${code}:\n${running.lines.slice(-20).join('\n')}`)
    })
    await Promise.race([untilConsumed(trial), ended])
    ended.catch(() => undefined)
    running.kill('SIGTERM')
    await running.waitForLine('closed: true')
    await running.waitForExit()
    await untilEmpty(trial.id)
  }

  const runMillrace = async (trial: Trial): Promise<void> => {
    const application = await start(orderApplication(trial.topics), {
      bootstrapServers: kafkaBrokers(),
      applicationId: trial.id,
      processingGuarantee: trial.guarantee,
      stateDirectory: join(folder, 'millrace'),
    })
    try {
      await untilConsumed(trial)
    } finally {
      await application.close()
    }
    await untilEmpty(trial.id)
  }

  /** Until the group has committed the end of every input and repartition topic. */
  const untilConsumed = async ({ id, topics, guarantee }: Trial): Promise<void> => {
    const ofUsers = inputs.map((input) => topics[input].name)
    const ofStreams = repartitions.map((name) => `${id}-${name}`)
    // Behind what a transaction wrote stands its marker, which nobody's offset goes beyond.
    const markers = guarantee === 'exactly_once' ? 1 : 0
    const behind = async (): Promise<readonly string[]> => {
      const existing = new Set(await client.admin.listTopics())
      const missing = ofStreams.filter((name) => !existing.has(name))
      if (missing.length > 0) return missing
      // Ends are read first and last: one that moves in between, or is not final, belongs to work that is under way.
      const before = await endsOf(placesOf([...ofUsers, ...ofStreams]), 'read_committed')
      const committed = await client.admin.groupOffsets(id)
      const isDone = (place: string, end: number, missable: number): boolean =>
        end === before.get(place) && (end === 0 || (committed.get(place)?.offset ?? -1) >= end - missable)
      const read = await endsOf(placesOf(ofUsers))
      const written = await endsOf(placesOf(ofStreams))
      return [
        ...[...read].flatMap(([place, end]) => (isDone(place, end, 0) ? [] : [place])),
        ...[...written].flatMap(([place, end]) => (isDone(place, end, markers) ? [] : [place])),
      ]
    }
    await until(behind, (places) => places.length === 0)
  }

  const placesOf = (topics: readonly string[]): readonly Place[] =>
    topics.flatMap((topic) => range(partitions).map((partition) => ({ topic, partition })))

  const endsOf = async (
    places: readonly Place[],
    isolation: 'read_committed' | 'read_uncommitted' = 'read_uncommitted',
  ): Promise<ReadonlyMap<string, number>> => {
    const latest = places.map((each) => ({ ...each, at: 'latest' as const }))
    const ends = await client.admin.listOffsets(latest, isolation)
    return new Map([...ends].map(([place, { offset }]) => [place, offset]))
  }

  /** The two name their group's protocol differently: one joins only when the other has left. */
  const untilEmpty = (id: string): Promise<void> =>
    until(
      () => client.admin.describeGroup(id),
      ({ state }) => state === 'Empty',
    )

  const resultsOf = async ({ id, topics }: Trial): Promise<Results> => {
    const results: Record<string, readonly string[]> = {}
    for (const output of outputs) {
      const records = await client.readAll({ name: topics[output].name, key: bytes, value: bytes })
      results[output] =
        output.endsWith('Counts') || output === 'counts'
          ? latest(records, !output.startsWith('session'))
          : all(records)
    }
    for (const [store, numbering] of Object.entries(changelogs)) {
      const records = await client.readAll({ name: `${id}-${store}-changelog`, key: bytes, value: bytes })
      results[store] =
        numbering === 0 ? latest(records, !store.startsWith('session')) : all(records, numbering)
    }
    return results
  }

  it.each(['at_least_once', 'exactly_once'] as const)(
    'ends with the stores and outputs of one that was never disturbed (%s)',
    async (guarantee) => {
      const parts = partsOf(systemClock.now())
      const undisturbed = await prepare('undisturbed', guarantee)
      for (const part of parts) await write(undisturbed, part)
      await runKafkaStreams(undisturbed)

      const shared = await prepare('taken-over', guarantee)
      await write(shared, parts[0])
      await runKafkaStreams(shared)
      const topicsBefore = await internalTopics(shared.id)

      await write(shared, parts[1])
      await runMillrace(shared)
      expect(await internalTopics(shared.id)).toEqual(topicsBefore)
      const ordered = parts.slice(0, 2).flatMap(({ orders }) => orders.map(({ timestamp }) => timestamp))
      expect(Math.max(...(await partitionTimes(shared)))).toBe(Math.max(...ordered))

      await write(shared, parts[2])
      await runKafkaStreams(shared)
      expect(await internalTopics(shared.id)).toEqual(topicsBefore)

      const expected = await resultsOf(undisturbed)
      for (const [name, rows] of Object.entries(expected)) expect(rows.length, name).toBeGreaterThan(5)
      expect(await resultsOf(shared)).toEqual(expected)
    },
  )

  it('has the internal topics that Millrace makes, with the same partitions and configs', async () => {
    const [part] = partsOf(systemClock.now())
    const [theirs, ours] = [await prepare('of-kafka-streams'), await prepare('of-millrace')]
    await write(theirs, part)
    await runKafkaStreams(theirs)
    await write(ours, part)
    await runMillrace(ours)

    const expected = await layoutOf(theirs.id)
    expect(Object.keys(expected)).toHaveLength(repartitions.length + Object.keys(changelogs).length)
    expect(await layoutOf(ours.id)).toEqual(expected)
  })

  /** Partitions and configs by the part of the name that follows the application id. */
  const layoutOf = async (id: string): Promise<Readonly<Record<string, unknown>>> => {
    const layout: Record<string, unknown> = {}
    for (const name of await internalTopics(id)) {
      const configs = await client.admin.describeConfigs(name)
      const own = configs.filter(({ isDefault }) => !isDefault).map((each) => [each.name, each.value])
      const count = (await client.admin.partitionCounts([name])).get(name)
      layout[name.slice(id.length)] = { partitions: count, configs: Object.fromEntries(own) }
    }
    return layout
  }

  const internalTopics = async (id: string): Promise<readonly string[]> =>
    (await client.admin.listTopics())
      .filter((name) => /-(changelog|repartition)$/.test(name) && name.startsWith(id))
      .sort()

  const partitionTimes = async ({ id, topics }: Trial): Promise<readonly number[]> => {
    const committed = await client.admin.groupOffsets(id)
    return [...committed.values()]
      .filter(({ topic }) => topic === topics.orders.name)
      .map(({ metadata }) => decodeOffsetMetadata(metadata).partitionTimeMs)
  }
})

type Guarantee = 'at_least_once' | 'exactly_once'

interface Place {
  readonly topic: string
  readonly partition: number
}

interface Trial {
  readonly id: string
  readonly guarantee: Guarantee
  readonly topics: OrderTopics
  readonly stateFolder: string
}

/** What each topic and store holds in the end, as sorted lines. */
type Results = Readonly<Record<string, readonly string[]>>

interface Written {
  readonly key: string
  readonly value: string
  readonly timestamp: number
}

type Part = Readonly<Record<(typeof inputs)[number], readonly Written[]>>

/**
 * Three parts of one history, cut after 30 and 60 orders. Every customer orders about every 4.4 seconds, and between 25
 * and 25 orders all rest for two more: sessions end at the rests, and like windows and counts they go on over the cuts.
 * Half of the payments come a part later than their order.
 */
const partsOf = (now: number): readonly [Part, Part, Part] => {
  const startMs = now - (now % 60_000) - 120_000
  const orders = range(90).map((index) => ({
    key: `order-${index}`,
    value: `customer-${(index * 7) % 11}`,
    timestamp: startMs + index * 400 + (index % 5) * 70 + Math.floor(index / 25) * 2_000,
  }))
  const payments = orders.map(({ key, timestamp }, index) => ({
    key,
    value: `payment-${index}`,
    timestamp: timestamp + (index % 2 === 0 ? 100 : 13_000),
  }))
  const customers = range(11).map((index) => ({
    key: `customer-${index}`,
    value: index % 3 === 0 ? 'gold' : 'standard',
    timestamp: startMs - 60_000,
  }))
  const partOf = (index: number): Part => {
    const paidIn = (at: number): number =>
      at % 2 === 0 ? Math.floor(at / 30) : Math.min(2, Math.floor(at / 30) + 1)
    return {
      orders: orders.slice(index * 30, index * 30 + 30),
      payments: payments.filter((_, at) => paidIn(at) === index),
      customers: index === 0 ? customers : [],
    }
  }
  return [partOf(0), partOf(1), partOf(2)]
}

type RawRecord = ReadRecord<Uint8Array, Uint8Array>

/** The last value of every key; that of a session has the time of whichever record came last. */
const latest = (records: readonly RawRecord[], isTimed: boolean): readonly string[] => {
  const rows = new Map<string, string>()
  for (const record of records) {
    const key = `${record.partition} ${hex(record.key)}`
    if (record.value === null) rows.delete(key)
    else rows.set(key, `${key} ${hex(record.value)} ${isTimed ? record.timestamp : ''}`)
  }
  return [...rows.values()].sort()
}

/** Every record, in no order. */
const all = (records: readonly RawRecord[], numbering = 0): readonly string[] =>
  records
    .map(({ partition, key, value, timestamp }) => {
      const kept = key.subarray(0, key.length - numbering)
      return `${partition} ${hex(kept)} ${value === null ? 'null' : hex(value)} ${timestamp}`
    })
    .sort()

const hex = (source: Uint8Array): string => Buffer.from(source).toString('hex')

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

/** Asks until the answer is right; rejects with the last one when patience ends. */
const until = async <T>(ask: () => Promise<T>, isRight: (answer: T) => boolean): Promise<void> => {
  const deadlineMs = systemClock.now() + 60_000
  for (;;) {
    const answer = await ask()
    if (isRight(answer)) return
    if (systemClock.now() > deadlineMs)
      throw new Error(`waited in vain, at last for ${JSON.stringify(answer)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
