import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BehaviorSubject, filter, firstValueFrom, from, map, Subject, take, toArray } from 'rxjs'
import { afterAll, expect, it } from 'vitest'
import * as z from 'zod'
import type { Topic } from '../../src/index.ts'
import { connect, filterByHeader, isFault, long, start, string, topic, topology } from '../../src/index.ts'
import { utf8Encode } from '../../src/base/bytes.ts'
import { TopicClient } from '../support/topic-client.ts'

const Order = z.object({ amount: z.number() })

/** Topics as observables and observers, on whatever broker. */
export const observeSuite = (brokers: () => string, unique: (prefix: string) => string): void => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-observe-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const ordersWith = async (client: TopicClient, ...amounts: readonly number[]) => {
    const orders = topic(unique('orders'), { value: Order, partitions: 1 })
    await client.create(orders)
    await write(client, orders, ...amounts)
    return orders
  }
  const write = (
    client: TopicClient,
    orders: Topic<string, { amount: number }>,
    ...amounts: readonly number[]
  ): Promise<void> =>
    client.write(
      orders,
      amounts.map((amount) => ({ key: `o${amount}`, value: { amount }, timestamp: 1_000 * amount })),
    )
  const amountOf = map(({ value }: { readonly value: { readonly amount: number } }) => value.amount)

  it('a topic is observed from its beginning to its end, and then completes', async () => {
    await using client = new TopicClient(brokers())
    const orders = await ordersWith(client, 1, 2, 3)
    const observed = connect({ bootstrapServers: brokers() }).observe(orders, {
      from: 'beginning',
      until: 'end',
    })
    const records = await firstValueFrom(observed.pipe(toArray()))
    expect(records.map(({ key, value, timestamp }) => [key, value.amount, timestamp])).toEqual([
      ['o1', 1, 1_000],
      ['o2', 2, 2_000],
      ['o3', 3, 3_000],
    ])
    expect(records[2]?.origin).toEqual({ topic: orders.name, partition: 0, offset: 2 })
    // Cold: each subscription reads the topic again.
    expect(await firstValueFrom(observed.pipe(amountOf, toArray()))).toEqual([1, 2, 3])
  })

  it('an empty topic that is read to its end completes at once', async () => {
    await using client = new TopicClient(brokers())
    const orders = await ordersWith(client)
    const observed = connect({ bootstrapServers: brokers() }).observe(orders, {
      from: 'latest',
      until: 'end',
    })
    expect(await firstValueFrom(observed.pipe(toArray()))).toEqual([])
  })

  it.each([
    ['an offset', { 0: 1 }, [2, 3]],
    ['a time', new Date(2_500), [3]],
    ['a time after the last record, which is the end', new Date(9_000), []],
  ])('reading begins at %s', async (_what, begin, expected) => {
    await using client = new TopicClient(brokers())
    const orders = await ordersWith(client, 1, 2, 3)
    const observed = connect({ bootstrapServers: brokers() }).observe(orders, { from: begin, until: 'end' })
    expect(await firstValueFrom(observed.pipe(amountOf, toArray()))).toEqual(expected)
  })

  it('an offset that the log does not hold and a partition that the topic does not have are refused', async () => {
    await using client = new TopicClient(brokers())
    const orders = await ordersWith(client, 1, 2, 3)
    const outside = connect({ bootstrapServers: brokers() })
    const failure = (offsets: Record<number, number>): Promise<unknown> =>
      firstValueFrom(outside.observe(orders, { from: offsets })).catch((error: unknown) => error)
    expect(await failure({ 0: 4 })).toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      place: { topic: orders.name, partition: 0, offset: 4 },
    })
    expect(await failure({ 3: 0 })).toMatchObject({ code: 'PARTITION_MISSING' })
  })

  it('a record that the schema refuses ends the observable, and the fault names its place', async () => {
    await using client = new TopicClient(brokers())
    const orders = await ordersWith(client, 1)
    await client.writeBytes(orders.name, [{ key: utf8Encode('k'), value: utf8Encode('{"amount":"x"}') }])
    const seen: number[] = []
    const failure = await new Promise<unknown>((resolve) => {
      connect({ bootstrapServers: brokers() })
        .observe(orders, { from: 'beginning' })
        .subscribe({ next: ({ value }) => seen.push(value.amount), error: resolve })
    })
    expect(isFault(failure) && failure.place).toMatchObject({ topic: orders.name, partition: 0, offset: 1 })
    expect(seen).toEqual([1])
  })

  it('a slow loop over the records takes them one by one, and leaving it ends the reading', async () => {
    await using client = new TopicClient(brokers())
    const orders = await ordersWith(client, ...Array.from({ length: 50 }, (_, index) => index + 1))
    const seen: number[] = []
    for await (const { value } of connect({ bootstrapServers: brokers() }).observe(orders, {
      from: 'beginning',
    })) {
      seen.push(value.amount)
      await new Promise((resolve) => setTimeout(resolve, 1))
      if (seen.length === 20) break
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  it('no record is emitted while the observable is paused', async () => {
    await using client = new TopicClient(brokers())
    const orders = await ordersWith(client, 1, 2, 3, 4)
    const pausedBy = new BehaviorSubject(false)
    const seen: number[] = []
    const done = Promise.withResolvers<void>()
    connect({ bootstrapServers: brokers() })
      .observe(orders, { from: 'beginning', until: 'end', pausedBy })
      .pipe(amountOf)
      .subscribe({
        next: (amount) => {
          seen.push(amount)
          if (amount === 2) pausedBy.next(true)
        },
        complete: done.resolve,
      })
    await expect.poll(() => seen).toEqual([1, 2])
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(seen).toEqual([1, 2])
    pausedBy.next(false)
    await done.promise
    expect(seen).toEqual([1, 2, 3, 4])
  })

  it('a publisher writes what an observable emits, headers and times included, and is done once the broker has it', async () => {
    await using client = new TopicClient(brokers())
    const orders = await ordersWith(client, 1, 2, 3)
    const large = topic(unique('large'), { value: Order, partitions: 1 })
    await client.create(large)
    const outside = connect({ bootstrapServers: brokers() })
    const publisher = outside.publish(large)
    outside
      .observe(orders, { from: 'beginning', until: 'end', pausedBy: publisher.full })
      .pipe(filter(({ value }) => value.amount > 1))
      .subscribe(publisher)
    await publisher.done
    const own = outside.publish(large)
    from([
      { key: 'own', value: null, headers: [['region', utf8Encode('eu')] as const], timestamp: 7 },
    ]).subscribe(own)
    await own.done
    expect((await client.readAll(large)).map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual(
      [
        ['o2', { amount: 2 }, 2_000],
        ['o3', { amount: 3 }, 3_000],
        ['own', null, 7],
      ],
    )
  })

  it('pipelines of operators over records are the same outside a topology', async () => {
    await using client = new TopicClient(brokers())
    const orders = await ordersWith(client, 1)
    await client.write(orders, [
      { key: 'eu', value: { amount: 5 }, headers: [['region', utf8Encode('eu')]], timestamp: 0 },
    ])
    const observed = connect({ bootstrapServers: brokers() }).observe(orders, { from: 'beginning' })
    expect(await firstValueFrom(observed.pipe(filterByHeader('region', 'eu'), amountOf))).toBe(5)
  })

  it('a record that cannot be written ends the subscription and is the rejection of done', async () => {
    await using client = new TopicClient(brokers())
    const orders = await ordersWith(client)
    const source = new Subject<{ key: string; value: { amount: number } }>()
    const publisher = connect({ bootstrapServers: brokers() }).publish(orders)
    source.subscribe(publisher)
    source.next({ key: 'a', value: { amount: 'many' as never } })
    await expect(publisher.done).rejects.toMatchObject({ place: { topic: orders.name } })
    expect(source.observed).toBe(false)
  })

  it('unsubscribing a publisher writes what it has got', async () => {
    await using client = new TopicClient(brokers())
    const orders = await ordersWith(client)
    const source = new Subject<{ key: string; value: { amount: number } }>()
    const publisher = connect({ bootstrapServers: brokers() }).publish(orders)
    const subscription = source.subscribe(publisher)
    source.next({ key: 'a', value: { amount: 9 } })
    subscription.unsubscribe()
    await publisher.done
    expect((await client.readAll(orders)).map(({ value }) => value)).toEqual([{ amount: 9 }])
  })

  it('the changes of a table are an observable, deletions included, whatever process has the key', async () => {
    await using client = new TopicClient(brokers())
    const words = topic(unique('words'), { value: string, partitions: 2 })
    const limits = topic(unique('limits'), { value: long, partitions: 1 })
    await client.create(words, limits)
    const program = topology(unique('changes'), (builder) => {
      builder.stream(words).groupByKey().count({ store: 'by-word' })
      builder.table(limits, { store: 'limits' })
    })
    const application = await start(
      program,
      { bootstrapServers: brokers(), stateDirectory: join(folder, program.name) },
      { logger: false },
    )
    try {
      await application.waitFor('running')
      await client.write(
        words,
        ['a', 'b', 'a'].map((key) => ({ key, value: 'x' })),
      )
      await client.write(limits, [{ key: 'l', value: 5, timestamp: 42 }])
      const rows = application.queries.tableStore<string, number>('limits').changes({ from: 'beginning' })
      expect(await firstValueFrom(rows)).toEqual(['l', { value: 5, timestamp: 42 }])
      await client.write(limits, [{ key: 'l', value: null, timestamp: 43 }])
      const counts = application.queries.tableStore<string, number>('by-word')
      const changes = await firstValueFrom(
        counts.changes({ from: 'beginning' }).pipe(
          filter(([key]) => key === 'a'),
          map(([, row]) => row?.value),
          filter((count) => count === 2),
        ),
      )
      expect(changes).toBe(2)
      expect(await firstValueFrom(rows.pipe(take(2), toArray()))).toEqual([
        ['l', { value: 5, timestamp: 42 }],
        ['l', null],
      ])
    } finally {
      await application.close()
    }
  })
}
