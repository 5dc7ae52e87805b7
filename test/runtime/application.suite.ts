import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Application, SettingsInput, StartOptions, Topology } from '../../src/index.ts'
import { bytes, headerText, long, nullable, replay, start, string, topic, topology } from '../../src/index.ts'
import type { ReadOnlyKeyValueStore, ValueAndTimestamp } from '../../src/state/store.ts'
import { latestByKey, TopicClient } from '../support/topic-client.ts'

const Order = z.object({ customer: z.string(), amount: z.number() })

const sumOf = (numbers: Iterable<number>): number => [...numbers].reduce((sum, each) => sum + each, 0)

/**
 * What a running application owes its users, on whatever broker: the same list for the embedded one and for Apache
 * Kafka, under both guarantees.
 */
export const applicationSuite = (brokers: () => string, unique: (prefix: string) => string): void => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-runtime-'))
  const running: Application[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map((application) => application.close()))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const begin = async (
    program: Topology,
    settings: Partial<SettingsInput> = {},
    options: StartOptions = {},
  ): Promise<Application> => {
    const application = await start(
      program,
      { bootstrapServers: brokers(), stateDirectory: join(folder, unique('state')), ...settings },
      options,
    )
    running.push(application)
    return application
  }

  const run = async (...args: Parameters<typeof begin>): Promise<Application> => {
    const application = await begin(...args)
    await application.waitFor('running')
    return application
  }

  const counting = (): {
    orders: ReturnType<typeof ordersTopic>
    counts: ReturnType<typeof countsTopic>
    program: Topology
  } => {
    const orders = ordersTopic(unique('orders'))
    const counts = countsTopic(unique('counts'))
    const program = topology(unique('counting'), (builder) => {
      builder
        .stream(orders)
        .groupBy(({ value }) => value.customer, { name: 'by-customer' })
        .count({ store: 'orders-by-customer' })
        .toStream()
        .to(counts)
    })
    return { orders, counts, program }
  }
  const ordersTopic = (name: string) => topic(name, { key: nullable(string), value: Order })
  const countsTopic = (name: string) => topic(name, { value: long })
  const ordersOf = (...customers: readonly string[]) =>
    customers.map((customer, index) => ({ key: `order-${index}`, value: { customer, amount: index } }))

  describe.each(['at_least_once', 'exactly_once'] as const)('%s', (processingGuarantee) => {
    it('tries a record again whose processing failed, and counts it once', async () => {
      const orders = ordersTopic(unique('orders'))
      const counts = countsTopic(unique('counts'))
      const letters = unique('letters')
      let failures = 0
      const program = topology(unique('flaky'), (builder) => {
        builder
          .stream(orders)
          .filter(({ key, value }) => {
            if (key === 'order-1' && ++failures <= 2) throw new Error('the world was away')
            if (value.customer === 'never') throw new Error('always')
            return true
          })
          .selectKey(({ value }) => value.customer)
          .groupByKey({ name: 'by-customer' })
          .count({ store: 'orders-by-customer' })
          .toStream()
          .to(counts)
      })
      await using client = new TopicClient(brokers())
      await client.create(orders, counts, { name: letters })
      const warnings: string[] = []
      const application = await run(
        program,
        {
          processingGuarantee,
          processingRetryAttempts: 2,
          processingRetryBackoffMs: 20,
          processingFailure: 'deadLetter',
          deadLetterTopic: letters,
        },
        { onWarning: (message) => warnings.push(message) },
      )
      await client.write(orders, ordersOf('ada', 'ada', 'never', 'bob'))
      const told = await client.readUntil(counts, (records) => {
        const latest = latestByKey(records)
        return (latest.get('ada') ?? 0) >= 2 && (latest.get('bob') ?? 0) >= 1
      })
      if (processingGuarantee === 'exactly_once')
        expect(told.map(({ key, value }) => `${key} ${value}`).toSorted()).toEqual([
          'ada 1',
          'ada 2',
          'bob 1',
        ])
      expect(failures).toBeGreaterThanOrEqual(3)
      expect(warnings.filter((message) => message.includes('tried again (retry 2)')).length).toBe(2)
      expect(application.metrics.dropped).toMatchObject([{ reason: 'failed', records: 1 }])
      const [letter] = await client.readUntil(
        topic(letters, { key: nullable(string), value: bytes }),
        (records) => records.length > 0,
      )
      expect(letter?.key).toBe('order-2')
    })

    it('counts over a repartition topic, and goes on after a restart where it left off', async () => {
      const { orders, counts, program } = counting()
      await using client = new TopicClient(brokers())
      await client.create({ name: orders.name, partitions: 3 }, { name: counts.name, partitions: 2 })
      const settings = { processingGuarantee, stateDirectory: join(folder, unique('state')) }

      const first = await run(program, settings)
      await client.write(orders, ordersOf('ada', 'bob', 'ada', 'cy'))
      await client.readUntil(counts, (records) => records.length >= 4)
      await first.close()

      await client.write(orders, ordersOf('ada', 'bob'))
      await run(program, settings)
      const records = await client.readUntil(counts, (each) => each.length >= 6)
      expect(latestByKey(records)).toEqual(
        new Map([
          ['ada', 3],
          ['bob', 2],
          ['cy', 1],
        ]),
      )
      expect(records).toHaveLength(6)
    })

    it('deletes the records of a repartition topic that are committed', async () => {
      const { orders, counts, program } = counting()
      await using client = new TopicClient(brokers())
      await client.create(orders, counts)
      await run(program, { processingGuarantee, repartitionPurgeIntervalMs: 1 })
      const partitions = [{ topic: `${program.name}-by-customer-repartition`, partition: 0 }]
      const firstOffset = async (): Promise<number> => {
        const listed = await client.admin.listOffsets(partitions.map((each) => ({ ...each, at: 'earliest' })))
        return [...listed.values()][0]?.offset ?? 0
      }
      for (let written = 0; (await firstOffset()) < 2; written++) {
        if (written > 100) throw new Error('no record of the repartition topic was deleted')
        await client.write(orders, ordersOf('ada'))
        await client.readUntil(counts, (records) => records.length > written)
      }
      const counted = await client.readAll(counts)
      expect(latestByKey(counted)).toEqual(new Map([['ada', counted.length]]))
    })

    it('restores its state from the changelog alone', async () => {
      const { orders, counts, program } = counting()
      await using client = new TopicClient(brokers())
      await client.create(orders, counts)
      const first = await run(program, { processingGuarantee })
      await client.write(orders, ordersOf('ada', 'ada'))
      await client.readUntil(counts, (records) => records.length >= 2)
      await first.close()

      const restored: number[] = []
      const second = await run(
        program,
        { processingGuarantee },
        { onRestore: ({ restoredRecords }) => restored.push(restoredRecords) },
      )
      const store = second.store('orders-by-customer', 0) as unknown as ReadOnlyKeyValueStore<
        string,
        ValueAndTimestamp<number>
      >
      expect(store.get('ada')?.value).toBe(2)
      expect(Math.max(...restored)).toBeGreaterThan(0)
      expect(second.metrics.restoredRecords).toBe(restored.at(-1))
    })

    it('finishes asynchronous work before it gives up its inputs, in the order of each key', async () => {
      const orders = ordersTopic(unique('orders'))
      const priced = topic(unique('priced'), { value: long })
      const program = topology(unique('pricing'), (builder) => {
        builder
          .stream(orders)
          .selectKey(({ value }) => value.customer)
          .mapValuesAsync(
            async ({ amount }) => {
              await new Promise((resolve) => setImmediate(resolve))
              return amount
            },
            { concurrency: 2, value: long },
          )
          .to(priced)
      })
      await using client = new TopicClient(brokers())
      await client.create(orders, priced)
      const settings = { processingGuarantee, stateDirectory: join(folder, unique('state')) }
      const batch = ordersOf(...Array.from({ length: 40 }, (_, index) => (index % 3 === 0 ? 'ada' : 'bob')))

      const first = await run(program, settings)
      await client.write(orders, batch)
      await client.readUntil(priced, (records) => records.length > 0)
      await first.close()
      await run(program, settings)
      const records = await client.readUntil(priced, (each) => each.length >= batch.length)
      expect(records).toHaveLength(batch.length)
      for (const customer of ['ada', 'bob']) {
        const amounts = records.filter(({ key }) => key === customer).map(({ value }) => value)
        expect(amounts).toEqual(amounts.toSorted((one, other) => Number(one) - Number(other)))
      }
    })

    it('shares its tasks with a second process, and takes them back when that one leaves', async () => {
      const { orders, counts, program } = counting()
      await using client = new TopicClient(brokers())
      await client.create({ name: orders.name, partitions: 4 }, counts)
      const settings = { processingGuarantee, heartbeatIntervalMs: 100, sessionTimeoutMs: 6_000 }
      const first = await run(program, settings)
      expect(first.tasks).toHaveLength(8)
      const second = await run(program, settings)
      await expect.poll(() => [first.tasks.length, second.tasks.length]).toEqual([4, 4])
      await client.write(orders, ordersOf('ada', 'bob', 'cy', 'dee', 'ada', 'bob'))
      await client.readUntil(counts, (records) => records.length >= 6)
      await second.close()
      await expect.poll(() => first.tasks.length).toBe(8)
      await client.write(orders, ordersOf('ada', 'bob', 'cy', 'dee'))
      const records = await client.readUntil(counts, (each) => sumOf(latestByKey(each).values()) === 10)
      expect(latestByKey(records)).toEqual(
        new Map([
          ['ada', 3],
          ['bob', 3],
          ['cy', 2],
          ['dee', 2],
        ]),
      )
    })

    it('stops at a record it can’t read, naming topic, partition, offset and node, and loses nothing else', async () => {
      const { orders, counts, program } = counting()
      await using client = new TopicClient(brokers())
      await client.create(orders, counts)
      await client.write(orders, ordersOf('ada'))
      await client.writeBytes(orders.name, [{ key: null, value: new TextEncoder().encode('{"customer":') }])
      await client.write(orders, ordersOf('bob'))
      // Its first task may fail before the last one runs.
      const application = await begin(program, { processingGuarantee })
      await application.waitFor('failed')
      expect(String(application.failure)).toMatch(
        new RegExp(`not JSON.*topic ${orders.name}, partition 0, offset 1, node selectKey-0001`),
      )
      const second = await run(program, {
        processingGuarantee,
        deserializationFailure: 'skip',
      })
      const records = await client.readUntil(counts, (each) => latestByKey(each).size >= 2)
      expect(latestByKey(records).get('bob')).toBe(1)
      expect(second.metrics.dropped).toEqual([{ node: 'selectKey-0001', reason: 'failed', records: 1 }])
    })

    it('keeps a record it can’t read in the dead letter topic, and goes on', async () => {
      const { orders, counts, program } = counting()
      const letters = topic(unique('dead-letters'), { key: nullable(string), value: bytes })
      await using client = new TopicClient(brokers())
      await client.create(orders, counts, letters)
      await client.writeBytes(orders.name, [{ key: null, value: new TextEncoder().encode('{"customer":1}') }])
      await client.write(orders, ordersOf('ada'))
      await run(program, {
        processingGuarantee,
        deserializationFailure: 'deadLetter',
        deadLetterTopic: letters.name,
      })
      await client.readUntil(counts, (records) => records.length >= 1)
      const [letter] = await client.readUntil(letters, (records) => records.length >= 1)
      expect(new TextDecoder().decode(letter?.value ?? undefined)).toBe('{"customer":1}')
      expect(headerText(letter?.headers ?? [], '__streams.errors.topic')).toBe(orders.name)
    })

    it('says how it fares', async () => {
      const { orders, counts, program } = counting()
      await using client = new TopicClient(brokers())
      await client.create({ name: orders.name, partitions: 2 }, counts)
      const application = await run(program, { processingGuarantee })
      await client.write(orders, ordersOf('ada', 'bob', 'cy'))
      await client.readUntil(counts, (records) => records.length >= 3)
      const inputs = [orders.name, orders.name, 'repartition', 'repartition']
      await expect.poll(() => application.health.inputs.map(({ lag }) => lag)).toEqual(inputs.map(() => 0))
      const { state, connected, tasks, restoring, lastCommitMs, inputs: read } = application.health
      expect({ state, connected, restoring }).toEqual({ state: 'running', connected: true, restoring: [] })
      expect(tasks).toEqual(application.tasks)
      expect(lastCommitMs).toBeGreaterThan(0)
      expect(read.filter((each) => each.topic === orders.name).map(({ task }) => task)).toEqual([
        '0_0',
        '0_1',
      ])
      await application.close()
      expect(application.health).toMatchObject({ state: 'closed', connected: false, tasks: [], inputs: [] })
    })

    it('is cut off where closing takes too long, and what was in hand is done after the next start', async () => {
      const orders = ordersTopic(unique('orders'))
      const priced = topic(unique('priced'), { value: long })
      const asked = Promise.withResolvers<void>()
      let answers = false
      const program = topology(unique('stuck'), (builder) => {
        builder
          .stream(orders)
          .selectKey(({ value }) => value.customer)
          .mapValuesAsync(
            ({ amount }) => {
              asked.resolve()
              return answers ? Promise.resolve(amount) : new Promise<never>(() => undefined)
            },
            { concurrency: 2, value: long },
          )
          .to(priced)
      })
      await using client = new TopicClient(brokers())
      await client.create(orders, priced)
      const settings = { processingGuarantee, stateDirectory: join(folder, unique('state')) }
      const first = await run(program, settings)
      await client.write(orders, ordersOf('ada'))
      await asked.promise
      await expect(first.close({ timeoutMs: 100 })).rejects.toMatchObject({ code: 'CLOSE_TIMED_OUT' })
      expect(first.state).toBe('closed')
      answers = true
      await run(program, settings)
      const records = await client.readUntil(priced, (each) => each.length > 0)
      expect(records.map(({ key, value }) => [key, value])).toEqual([['ada', 0]])
    })

    it('stands still while paused', async () => {
      const { orders, counts, program } = counting()
      await using client = new TopicClient(brokers())
      await client.create(orders, counts)
      const application = await run(program, { processingGuarantee })
      application.pause()
      expect(application.state).toBe('paused')
      await client.write(orders, ordersOf('ada'))
      const before = application.metrics.processedRecords
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(application.metrics.processedRecords).toBe(before)
      application.resume()
      await client.readUntil(counts, (records) => records.length >= 1)
    })
  })

  it('reads topics of differing partition counts in one stream', async () => {
    const wide = topic(unique('wide'), { value: string })
    const narrow = topic(unique('narrow'), { value: string })
    const heard = topic(unique('heard'), { value: string })
    const program = topology(unique('hearing'), (builder) => {
      builder.stream([narrow, wide]).to(heard)
    })
    await using client = new TopicClient(brokers())
    await client.create({ name: wide.name, partitions: 3 }, narrow, heard)
    await run(program)
    const records = Array.from({ length: 12 }, (_, index) => ({ key: `k${index}`, value: `v${index}` }))
    await client.write(wide, records)
    await client.write(narrow, records)
    const all = await client.readUntil(heard, (each) => each.length >= 24)
    expect(all).toHaveLength(24)
  })

  it('says which topic is missing, and how to make it', async () => {
    const { orders, program } = counting()
    await expect(
      start(program, { bootstrapServers: brokers(), stateDirectory: join(folder, unique('state')) }),
    ).rejects.toThrow(
      new RegExp(
        `reads topic '${orders.name}', which does not exist .*millrace topics --create --topic ${orders.name}`,
      ),
    )
  })

  it('replays a topology over its whole input, beside the live application', async () => {
    const { orders, counts, program } = counting()
    await using client = new TopicClient(brokers())
    await client.create({ name: orders.name, partitions: 2 }, counts)
    await run(program)
    await client.write(orders, ordersOf('ada', 'bob', 'ada'))
    const live = await client.readUntil(counts, (records) => records.length >= 3)
    const replayId = unique('replay')
    const result = await replay(
      program,
      { bootstrapServers: brokers(), stateDirectory: join(folder, replayId) },
      { replayId },
    )
    const copy = { ...counts, name: `${replayId}-${counts.name}` }
    expect(result).toMatchObject({ complete: true, processedRecords: 6, outputs: [{ topic: copy.name }] })
    expect(latestByKey(await client.readAll(copy))).toEqual(latestByKey(live))
    expect(await client.readAll(counts)).toEqual(live)
    const topics = await client.admin.listTopics()
    expect(topics.filter((name) => name.startsWith(replayId))).toEqual([copy.name])
  })

  it('refuses a replay under an id that has a group or internal topics, and deletes nothing of it', async () => {
    const { orders, counts, program } = counting()
    await using client = new TopicClient(brokers())
    await client.create(orders, counts)
    const application = await run(program)
    await client.write(orders, ordersOf('ada'))
    await client.readUntil(counts, (records) => records.length > 0)
    const topics = await client.admin.listTopics()
    const replayed = (replayId: string, other = program): Promise<unknown> =>
      replay(
        other,
        { bootstrapServers: brokers(), stateDirectory: join(folder, unique('state')) },
        { replayId },
      )
    await expect(replayed(program.name)).rejects.toThrow(/is the application's own/)
    const stranger = { ...program, name: unique('other') }
    await expect(replayed(program.name, stranger)).rejects.toThrow(/its group has 1 live member/)
    await application.close()
    await expect(replayed(program.name, stranger)).rejects.toThrow(/its group has committed offsets/)
    await client.admin.deleteGroup(program.name)
    await expect(replayed(program.name, stranger)).rejects.toThrow(/its internal topics exist: /)
    expect(await client.admin.listTopics()).toEqual(topics)
  })
}
