import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Application } from '../../../src/index.ts'
import { start, windowed } from '../../../src/index.ts'
import type { RunningBroker } from '../../../src/broker/index.ts'
import { startBroker } from '../../../src/broker/index.ts'
import { TopicClient } from '../../support/topic-client.ts'
import type { Note } from './shop.ts'
import { shop } from './shop.ts'

const listed = async <T>(rows: AsyncIterable<T>): Promise<readonly T[]> => {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}

describe('queries of one process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-queries-'))
  const { program, orders, prices, notes, serials, regions } = shop((prefix) => prefix)
  let broker: RunningBroker
  let client: TopicClient
  let application: Application

  beforeAll(async () => {
    broker = await startBroker()
    client = new TopicClient(broker.bootstrapServers)
    await client.create(
      { name: orders.name, partitions: 3 },
      { name: prices.name, partitions: 2 },
      { name: notes.name, partitions: 2 },
      { name: serials.name, partitions: 4 },
      { name: regions.name, partitions: 2 },
    )
    await client.write(regions, [{ key: 'eu', value: 'Europe' }])
    await client.write(prices, [
      { key: 'tea', value: 3, timestamp: 1_000 },
      { key: 'tea', value: 4, timestamp: 2_000 },
      { key: 'milk', value: 1, timestamp: 1_500 },
    ])
    await client.write(
      serials,
      [1, 2, 3].map((each) => ({ key: Uint8Array.of(0xff, each), value: 2n ** 60n + BigInt(each) })),
    )
    await client.write(notes, [{ key: 'n/1 ü', value: { at: new Date(5_000), tags: ['a'] } }])
    await client.write(
      orders,
      ['ada', 'bob', 'ada', 'cy', 'ada'].map((customer, index) => ({
        key: `order-${index}`,
        value: { customer, amount: index },
        timestamp: index * 40_000,
      })),
    )
    application = await start(program, {
      bootstrapServers: broker.bootstrapServers,
      stateDirectory: folder,
      applicationServer: '127.0.0.1:0',
    })
    await application.waitFor('running')
    const { queries } = application
    const isThere = async (): Promise<void> => {
      expect((await queries.tableStore<string, number>('orders-by-customer').get('ada'))?.value).toBe(3)
      expect(await listed(queries.keyValueStore('latest-amounts').all())).toHaveLength(5)
      expect(await listed(queries.versionedStore('prices').all())).toHaveLength(2)
      expect(await listed(queries.tableStore('notes').all())).toHaveLength(1)
      expect(await listed(queries.tableStore('serials').all())).toHaveLength(3)
      expect(await listed(queries.sessionStore('orders-by-visit').all())).toHaveLength(5)
    }
    await vi.waitFor(isThere, { timeout: 10_000 })
  }, 30_000)
  afterAll(async () => {
    await application.close()
    await client[Symbol.asyncDispose]()
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const get = async (path: string): Promise<{ readonly status: number; readonly body: unknown }> => {
    const response = await fetch(`http://${application.queries.address}${path}`)
    return { status: response.status, body: await response.json() }
  }

  describe('in the program', () => {
    it('a table answers for keys, ranges, prefixes and all rows, over all partitions', async () => {
      const counts = application.queries.tableStore<string, number>('orders-by-customer')
      expect(await counts.get('ada')).toEqual({ value: 3, timestamp: 160_000 })
      expect(await counts.get('nobody')).toBeNull()
      const keysOf = async (rows: AsyncIterable<readonly [string, unknown]>): Promise<readonly string[]> =>
        (await listed(rows)).map(([key]) => key).toSorted()
      expect(await keysOf(counts.all())).toEqual(['ada', 'bob', 'cy'])
      expect(await keysOf(counts.range('b', undefined))).toEqual(['bob', 'cy'])
      expect(await keysOf(counts.range('ada', 'bob'))).toEqual(['ada', 'bob'])
      expect(await keysOf(counts.prefix('a'))).toEqual(['ada'])
    })

    it('a store of a processor answers without times', async () => {
      const latest = application.queries.keyValueStore<string, number>('latest-amounts')
      expect(await latest.get('order-3')).toBe(3)
      expect(await listed(latest.prefix('order-4'))).toEqual([['order-4', 4]])
    })

    it('a window store answers for a window, the windows of a key and all windows of a time', async () => {
      const windows = application.queries.windowStore<string, number>('orders-by-minute')
      expect(await windows.get('ada', 60_000)).toEqual({ value: 1, timestamp: 80_000 })
      expect(await windows.get('ada', 0)).toEqual({ value: 1, timestamp: 0 })
      expect((await listed(windows.fetch('ada'))).map(({ startMs }) => startMs)).toEqual([0, 60_000, 120_000])
      expect((await listed(windows.fetch('ada', 1, 60_000))).map(({ startMs }) => startMs)).toEqual([60_000])
      const first = await listed(windows.fetchAll(0, 59_999))
      expect(first.map(([{ key }]) => key).toSorted()).toEqual(['ada', 'bob'])
      expect(await listed(windows.all())).toHaveLength(5)
    })

    it('a session store answers for the sessions of a key and for all', async () => {
      const visits = application.queries.sessionStore<string, number>('orders-by-visit')
      expect(await listed(visits.fetch('ada'))).toEqual([
        [windowed('ada', 0, 0), 1],
        [windowed('ada', 80_000, 80_000), 1],
        [windowed('ada', 160_000, 160_000), 1],
      ])
      expect(await listed(visits.fetch('ada', 1, 100_000))).toEqual([[windowed('ada', 80_000, 80_000), 1]])
      expect(await listed(visits.all())).toHaveLength(5)
    })

    it('a versioned store answers as of a time', async () => {
      const versions = application.queries.versionedStore<string, number>('prices')
      expect(await versions.get('tea')).toEqual({ value: 4, timestamp: 2_000, validToMs: undefined })
      expect(await versions.get('tea', 1_999)).toEqual({ value: 3, timestamp: 1_000, validToMs: 2_000 })
      expect(await versions.get('tea', 999)).toBeNull()
      expect((await listed(versions.versions('tea'))).map(({ value }) => value)).toEqual([3, 4])
      expect((await listed(versions.all())).map(([key]) => key).toSorted()).toEqual(['milk', 'tea'])
    })

    it('a global table answers as a table does', async () => {
      expect(await application.queries.tableStore('regions').get('eu')).toMatchObject({ value: 'Europe' })
    })

    it('what is read is a copy, so that nobody outside changes the state', async () => {
      const store = application.queries.tableStore<string, Note>('notes')
      const read = (await store.get('n/1 ü')) as { readonly value: Note }
      expect(read.value.at).toEqual(new Date(5_000))
      read.value.tags.push('b')
      expect((await store.get('n/1 ü'))?.value.tags).toEqual(['a'])
    })

    it('a store that is not there, or of another kind, is named with the way out', () => {
      expect(() => application.queries.tableStore('orders-by-customers')).toThrow(
        "there is no store 'orders-by-customers' that can be asked; did you mean 'orders-by-customer'?",
      )
      expect(() => application.queries.tableStore('orders-by-minute')).toThrow(
        "ask it by windowStore('orders-by-minute')",
      )
    })
  })

  describe('over HTTP', () => {
    it('a key of text, of bytes, or that needs escapes is found', async () => {
      expect(await get('/stores/orders-by-customer/value?key=ada')).toMatchObject({
        status: 200,
        body: { key: 'ada', value: 3, timestamp: 160_000 },
      })
      expect(await get(`/stores/serials/value?key=${encodeURIComponent('/wI=')}`)).toMatchObject({
        body: { key: '/wI=', value: String(2n ** 60n + 2n) },
      })
      expect(await get(`/stores/notes/value?key=${encodeURIComponent('n/1 ü')}`)).toMatchObject({
        body: { value: { at: '1970-01-01T00:00:05.000Z', tags: ['a'] } },
      })
    })

    it('versions, windows and sessions have parameters of their own', async () => {
      expect(await get('/stores/prices/value?key=tea&asOfMs=1500')).toMatchObject({
        body: { value: 3, timestamp: 1_000, validToMs: 2_000 },
      })
      expect(await get('/stores/prices/entries?key=tea')).toMatchObject({
        body: { rows: [{ value: 3 }, { value: 4 }] },
      })
      expect(await get('/stores/orders-by-minute/entries?key=ada&toMs=60000')).toMatchObject({
        body: {
          rows: [
            { key: 'ada', value: 1, startMs: 0, endMs: 60_000 },
            { key: 'ada', value: 1, startMs: 60_000, endMs: 120_000 },
          ],
        },
      })
      expect(await get('/stores/orders-by-visit/entries?fromMs=100000')).toMatchObject({
        body: { rows: expect.arrayContaining([expect.objectContaining({ key: 'cy', endMs: 120_000 })]) },
      })
    })

    it('a listing goes on where the last page ended, whatever the size of a page', async () => {
      const pagesOf = async (path: string, limit: number): Promise<readonly unknown[]> => {
        const rows: unknown[] = []
        for (let after: string | undefined = ''; after !== undefined;) {
          const { body } = await get(`${path}limit=${limit}${after === '' ? '' : `&after=${after}`}`)
          const page = body as { readonly rows: readonly unknown[]; readonly after?: string }
          expect(page.rows.length).toBeLessThanOrEqual(limit)
          rows.push(...page.rows)
          after = page.after
        }
        return rows
      }
      for (const path of [
        '/stores/latest-amounts/entries?',
        '/stores/latest-amounts/entries?reverse=true&',
        '/stores/latest-amounts/entries?prefix=order-&',
        '/stores/orders-by-minute/entries?',
        '/stores/orders-by-minute/entries?key=ada&',
        '/stores/orders-by-visit/entries?',
        '/stores/orders-by-visit/entries?key=ada&',
        '/stores/prices/entries?',
        '/stores/prices/entries?key=tea&',
      ]) {
        const whole = await pagesOf(path, 1_000)
        expect(whole.length, path).toBeGreaterThan(1)
        for (const limit of [1, 2]) expect(await pagesOf(path, limit), path).toEqual(whole)
      }
    })

    it('large rows end a page early, and none is left out', async () => {
      const large = Array.from({ length: 5 }, (_, index) => `large-${index}`)
      const value: Note = { at: new Date(0), tags: ['x'.repeat(700_000)] }
      await client.write(
        notes,
        large.map((key) => ({ key, value })),
      )
      const store = application.queries.tableStore<string, Note>('notes')
      await vi.waitFor(async () => expect(await listed(store.prefix('large-'))).toHaveLength(5), 10_000)
      const sizes: number[] = []
      const keys: string[] = []
      for (let after: string | undefined = ''; after !== undefined;) {
        const { body } = await get(
          `/stores/notes/entries?prefix=large-${after === '' ? '' : `&after=${after}`}`,
        )
        const page = body as { readonly rows: readonly { readonly key: string }[]; readonly after?: string }
        sizes.push(page.rows.length)
        keys.push(...page.rows.map(({ key }) => key))
        after = page.after
      }
      expect(keys.toSorted()).toEqual(large)
      expect(Math.max(...sizes)).toBeLessThanOrEqual(3)
    })

    it('what is not there is 404, what is wrong is 400, each with a code', async () => {
      expect(await get('/stores/orders-by-customer/value?key=nobody')).toMatchObject({
        status: 404,
        body: { code: 'KEY_UNKNOWN', retryable: false },
      })
      expect(await get('/stores/order-by-customer/value?key=ada')).toMatchObject({
        status: 404,
        body: { code: 'STORE_UNKNOWN', remedy: "did you mean 'orders-by-customer'?" },
      })
      for (const path of [
        '/stores/orders-by-customer/value',
        '/stores/orders-by-customer/value?key=ada&isolation=dirty',
        '/stores/orders-by-customer/value?key=ada&partition=17',
        '/stores/orders-by-customer/value?key=ada&keys=bob',
        '/stores/orders-by-customer/entries?limit=0',
        '/stores/orders-by-customer/entries?limit=100000',
        '/stores/orders-by-customer/entries?after=nonsense',
        '/stores/orders-by-customer/entries?fromMs=1',
        '/stores/orders-by-minute/entries?from=ada',
        '/stores/serials/value?key=%C3%BC',
        '/stores/orders-by-minute/value?key=ada',
      ])
        expect(await get(path), path).toMatchObject({ status: 400 })
      expect(await get('/nowhere')).toMatchObject({ status: 404, body: { code: 'ROUTE_UNKNOWN' } })
    })

    it('a forged place of a page is a wrong request', async () => {
      const tokenOf = (place: unknown): string => Buffer.from(JSON.stringify(place)).toString('base64url')
      const key = Buffer.from('ada').toString('base64')
      for (const [path, place] of [
        ['latest-amounts/entries?prefix=order-', { partition: 0, after: { key } }],
        ['latest-amounts/entries?from=b', { partition: 0, after: { key } }],
        ['orders-by-minute/entries?', { partition: 0, after: { key } }],
        ['orders-by-minute/entries?fromMs=50', { partition: 0, after: { key, time: 0 } }],
        ['orders-by-visit/entries?', { partition: 0, after: { key, time: 1 } }],
        ['latest-amounts/entries?', { partition: -1 }],
        ['latest-amounts/entries?', { partition: 1e300 }],
        ['latest-amounts/entries?', { partition: 0, after: { key: 5 } }],
        ['latest-amounts/entries?', null],
      ] as const)
        expect(await get(`/stores/${path}&after=${tokenOf(place)}`), path).toMatchObject({
          status: 400,
          body: { code: 'QUERY_INVALID' },
        })
    })

    it('a forged request between processes is a wrong request', async () => {
      const ask = async (query: unknown, after?: unknown): Promise<unknown> => {
        const request = { store: 'latest-amounts', partition: 0, limit: 1, isolation: 'read_uncommitted' }
        const response = await fetch(`http://${application.queries.address}/internal/pages`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ ...request, query, after }),
        })
        return { status: response.status, body: await response.json() }
      }
      const wrong = { status: 400, body: { code: 'QUERY_INVALID' } }
      expect(await ask({ kind: 'get', key: 'no base64' })).toMatchObject(wrong)
      expect(await ask({ kind: 'range' }, { key: 'YQ==', time: 'now' })).toMatchObject(wrong)
      expect(await ask({ kind: 'range', from: 'Yg==' }, { key: 'YQ==' })).toMatchObject(wrong)
      expect(await ask({ kind: 'get', key: 'YQ==', asOfMs: 1.5 })).toMatchObject(wrong)
      expect(await ask({ kind: 'time', fromMs: 0 })).toMatchObject({
        status: 400,
        body: { code: 'STORE_KIND' },
      })
    })

    it('says what stores there are and who has them', async () => {
      expect(await get('/stores')).toMatchObject({
        body: {
          stores: expect.arrayContaining([expect.objectContaining({ name: 'prices', kind: 'versioned' })]),
        },
      })
      const { address } = application.queries
      expect(await get('/stores/serials')).toMatchObject({
        body: { partitions: 4, owners: Array.from({ length: 4 }, () => ({ active: address, isHere: true })) },
      })
      expect(await get('/stores/serials/owner?key=%2FwI%3D')).toMatchObject({ body: { active: address } })
    })

    it('health tells a process that runs, and metrics what it counted', async () => {
      expect(await get('/health/live')).toEqual({ status: 200, body: { state: 'running' } })
      expect(await get('/health/ready')).toMatchObject({ status: 200, body: { ready: true, restoring: [] } })
      expect(await get('/metrics')).toMatchObject({ body: { processedRecords: expect.any(Number) } })
      application.pause()
      expect(await get('/health/ready')).toMatchObject({
        status: 503,
        body: { state: 'paused', ready: false },
      })
      application.resume()
    })
  })
})
