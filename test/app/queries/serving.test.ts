import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PageReader } from '../../../src/app/queries/page-reader.ts'
import type { QueryHost } from '../../../src/app/queries/query-host.ts'
import { queryServer } from '../../../src/app/queries/query-server.ts'
import { routesOf } from '../../../src/app/queries/routes.ts'
import { Fault } from '../../../src/base/fault.ts'
import type { RunningBroker } from '../../../src/broker/index.ts'
import { freePort } from '../../support/free-port.ts'
import { startBroker } from '../../../src/broker/index.ts'
import type { Application, SettingsInput } from '../../../src/index.ts'
import { start, string, topic, topology } from '../../../src/index.ts'

/** What a port scanner, a browser's preconnect or a client that hangs leaves behind. */
const unfinishedRequests = [
  ['nothing was sent', ''],
  ['half a head was sent', 'GET /health HTTP/1.1\r\nHost: a'],
  ['a connection is kept alive', 'GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['half a body was sent', 'POST /stores/rows/get HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{'],
] as const

describe('where queries are served', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-serving-'))
  const input = topic('input', { value: string, partitions: 1 })
  const program = topology('served', (builder) => void builder.table(input, { store: 'rows' }))
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await startBroker({ topics: [{ name: 'input', partitions: 1 }] })
  })
  afterAll(async () => {
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const run = (settings: Partial<SettingsInput>, warnings: string[] = []): Promise<Application> =>
    start(
      program,
      { bootstrapServers: broker.bootstrapServers, stateDirectory: folder, ...settings },
      { onWarning: (message) => warnings.push(message) },
    )

  it('nowhere, unless somebody asks for it', async () => {
    const application = await run({})
    await application.waitFor('running')
    expect(application.queries.address).toBeUndefined()
    expect(await application.queries.tableStore('rows').get('a')).toBeNull()
    await application.close()
  })

  it.each(unfinishedRequests)('and close within a second, whoever is connected: %s', async (_name, sent) => {
    const application = await run({ applicationServer: '127.0.0.1:0' })
    const port = Number(application.queries.address?.split(':')[1])
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.on('error', () => undefined)
    socket.write(sent)
    await setTimeout(50)
    const begunMs = performance.now()
    await application.close()
    expect(performance.now() - begunMs).toBeLessThan(5_000)
    socket.destroy()
  })

  it('on loopback, with a warning where others are told of another address', async () => {
    const warnings: string[] = []
    const application = await run({ applicationServer: 'orders-1.example:0' }, warnings)
    expect(application.queries.address).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(warnings.join()).toMatch(/orders-1\.example:0.*served on 127\.0\.0\.1 alone; set queryListen/)
    await application.close()
  })

  it('where queryListen says, while others are told applicationServer', async () => {
    const warnings: string[] = []
    const application = await run(
      { applicationServer: 'orders-1.example:8080', queryListen: '127.0.0.1:0' },
      warnings,
    )
    await application.waitFor('running')
    const { address } = application.queries
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/)
    expect((await fetch(`http://${address}/health/live`)).status).toBe(200)
    expect(application.queries.metadataForKey('rows', 'a').active).toBe('orders-1.example:8080')
    expect(warnings).toEqual([])
    await application.close()
    await expect(fetch(`http://${address}/health/live`)).rejects.toThrow('fetch failed')
  })

  it('a port that is taken ends the start with what to do, and leaves nothing behind', async () => {
    const first = await run({ applicationServer: '127.0.0.1:0' })
    const { address } = first.queries as { readonly address: string }
    await expect(run({ applicationServer: address })).rejects.toThrow(
      new RegExp(
        `queries can't be served on ${address}: .*EADDRINUSE.*; set applicationServer or queryListen`,
      ),
    )
    await first.close()
    const again = await run({ applicationServer: address })
    expect(again.queries.address).toBe(address)
    await again.close()
  })

  it('health on a port of its own, which knows no store', async () => {
    const application = await run({ healthListen: '127.0.0.1:0' })
    await application.waitFor('running')
    const { address, healthAddress } = application.queries
    expect(address).toBeUndefined()
    expect(healthAddress).toMatch(/^127\.0\.0\.1:\d+$/)
    const statuses = ['/health/live', '/health/ready', '/metrics', '/stores', '/openapi.json'].map(
      async (path) => (await fetch(`http://${healthAddress}${path}`)).status,
    )
    expect(await Promise.all(statuses)).toEqual([200, 200, 200, 404, 404])
    await application.close()
    await expect(fetch(`http://${healthAddress}/health/live`)).rejects.toThrow('fetch failed')
  })

  it('a health port that is taken ends the start, and leaves no other port behind', async () => {
    const first = await run({ healthListen: '127.0.0.1:0' })
    const { healthAddress = '' } = first.queries
    const applicationServer = `127.0.0.1:${await freePort()}`
    await expect(run({ applicationServer, healthListen: healthAddress })).rejects.toThrow(
      `queries can't be served on ${healthAddress}`,
    )
    await first.close()
    const again = await run({ applicationServer, healthListen: healthAddress })
    expect(again.queries).toMatchObject({ address: applicationServer, healthAddress })
    await again.close()
  })

  it('queries of a closed application are refused at once', async () => {
    const application = await run({})
    await application.waitFor('running')
    const rows = application.queries.tableStore('rows')
    await application.close()
    await expect(rows.get('a')).rejects.toThrow(expect.objectContaining({ code: 'APPLICATION_CLOSED' }))
  })
})

describe('health', () => {
  const of = async (host: Partial<QueryHost>, path: string): Promise<unknown> => {
    const server = queryServer(routesOf('any'), () => ({ host }) as unknown as PageReader)
    const { statusCode, body } = await server.inject({ method: 'GET', url: path })
    return { status: statusCode, body: JSON.parse(body) as unknown }
  }

  it('a failed application is not live, and says by which code', async () => {
    const failure = new Fault({ code: 'TOPIC_MISSING', actor: 'author', message: 'no such topic' })
    expect(await of({ state: 'failed', failure }, '/health/live')).toEqual({
      status: 503,
      body: { state: 'failed', failure: 'TOPIC_MISSING' },
    })
    expect(await of({ state: 'rebalancing' }, '/health/live')).toMatchObject({ status: 200 })
  })

  it('an application that restores is not ready, and says what is left', async () => {
    const restoring = [{ store: 'rows', partition: 0, restoredRecords: 1, remainingRecords: 2 }]
    const standbyTasks = [{ task: '0_1', lag: 3 }]
    const health = { state: 'running', connected: true, tasks: ['0_0'], standbyTasks, restoring } as never
    expect(await of({ health }, '/health/ready')).toEqual({
      status: 503,
      body: { state: 'running', ready: false, connected: true, tasks: ['0_0'], standbyTasks, restoring },
    })
  })

  it('what fails unexpectedly is told without its secrets', async () => {
    const host = {
      get metrics(): never {
        throw new Error('password hunter2')
      },
    }
    const answer = await of(host, '/metrics')
    expect(answer).toMatchObject({ status: 500, body: { code: 'INTERNAL', retryable: false } })
    expect(JSON.stringify(answer)).not.toContain('hunter2')
  })
})
