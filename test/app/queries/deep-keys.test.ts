import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Application } from '../../../src/index.ts'
import {
  hours,
  json,
  minutes,
  seconds,
  session,
  start,
  string,
  timeWindowed,
  topic,
  topology,
  tumbling,
} from '../../../src/index.ts'
import { useLocalBroker } from '../../support/local-broker.ts'

const arrays = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
const windowedBy = (key: string): string => `{"key":${key},"startMs":0,"endMs":60000}`

/** Texts that fit the head of a request, as keys and as parts of windowed keys. */
const texts = [
  ...[400, 3_000, 7_000].map(arrays),
  objects(2_000),
  '['.repeat(14_000),
  `"${'['.repeat(10_000)}"`,
].flatMap((key) => [key, windowedBy(key)])

describe('a key of thousands of levels', () => {
  const local = useLocalBroker()
  const keys = {
    any: topic('any', { key: json(z.any()), value: string, partitions: 1 }),
    recursive: topic('recursive', { key: json(z.json()), value: string, partitions: 1 }),
  }
  const windows = topic('windows', {
    key: timeWindowed(json(z.any()), minutes(1)),
    value: string,
    partitions: 1,
  })
  let application: Application

  beforeAll(async () => {
    await local.client.create(...Object.values(keys), windows)
    const program = topology('deep', (builder) => {
      builder.table(windows, { store: 'windows-table' })
      for (const [name, input] of Object.entries(keys)) {
        const grouped = builder.stream(input).groupByKey()
        const minutely = tumbling({ size: minutes(1), grace: hours(1) })
        const sessions = session({ gap: seconds(30), grace: hours(1) })
        grouped.count({ store: `${name}-count` })
        grouped.windowedBy(minutely).count({ store: `${name}-window` })
        grouped.windowedBy(sessions).count({ store: `${name}-session` })
      }
    })
    application = await start(program, {
      bootstrapServers: local.broker.bootstrapServers,
      stateDirectory: join(local.folder, 'state'),
      applicationServer: '127.0.0.1:0',
    })
    await application.waitFor('running')
  })
  afterAll(async () => {
    await application.close()
    rmSync(local.folder, { recursive: true, force: true })
  })

  const stores = ['any-count', 'any-window', 'recursive-count', 'recursive-session', 'windows-table']
  const parameters = ['key', 'from', 'to', 'prefix', 'after']

  it.each(stores)('is a wrong request of the store %s, or one that finds nothing', async (store) => {
    const statuses = new Set<string>()
    const note = async (what: string, asked: Promise<Response>): Promise<void> => {
      const answer = await asked
      statuses.add(`${what} ${answer.status}`)
      await answer.text()
    }
    const base = `http://${application.queries.address}`
    for (const text of texts) {
      for (const route of ['owner', 'value', 'entries'])
        for (const name of route === 'entries' ? parameters : ['key']) {
          const value = name === 'after' ? Buffer.from(text).toString('base64url') : text
          const url = new URL(`${base}/stores/${store}/${route}`)
          url.searchParams.set(name, value)
          // An escape takes three characters, which the head of a request has no room for.
          await note(route, fetch(url.href.replaceAll('%5B', '[').replaceAll('%5D', ']')))
        }
      const key = Buffer.from(text).toString('base64')
      for (const query of [
        { kind: 'get', key },
        { kind: 'key', key },
        { kind: 'range', from: key },
      ])
        await note(
          'pages',
          fetch(`${base}/internal/pages`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ store, partition: 0, query, limit: 1, isolation: 'read_uncommitted' }),
          }),
        )
      await note(
        'pages',
        fetch(`${base}/internal/pages`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: `{"store":"${store}","query":${text}}`,
        }),
      )
    }
    expect([...statuses].filter((each) => !/ (?:200|400|404|414|431)$/.test(each))).toEqual([])
    expect([...statuses]).toEqual(expect.arrayContaining(['entries 400', 'pages 400']))
  })

  it('is named as no windowed key', async () => {
    const { address } = application.queries
    const key = windowedBy(arrays(7_000))
    const answer = await fetch(`http://${address}/stores/windows-table/owner?key=${key}`)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      code: 'QUERY_INVALID',
      message: expect.stringContaining('is not a windowed key'),
    })
  })
})
