import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HttpAnswer } from '../../../src/app/queries/http-request.ts'
import { askOverHttp } from '../../../src/app/queries/http-request.ts'
import type { RunningBroker } from '../../../src/broker/index.ts'
import { startBroker } from '../../../src/broker/index.ts'
import type { Application, SettingsInput } from '../../../src/index.ts'
import { start, string, topic, topology } from '../../../src/index.ts'
import type { Authority } from '../../support/certificates.ts'
import { createAuthority } from '../../support/certificates.ts'
import { TopicClient } from '../../support/topic-client.ts'

const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`)

describe('processes with a token and TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-secured-'))
  const input = topic('input', { value: string, partitions: 4 })
  const program = topology('secured', (builder) => void builder.table(input, { store: 'rows' }))
  const warnings: string[] = []
  const running: Application[] = []
  let broker: RunningBroker
  let authority: Authority

  const member = async (name: string, settings: Partial<SettingsInput>): Promise<Application> => {
    const application = await start(
      program,
      {
        bootstrapServers: broker.bootstrapServers,
        stateDirectory: join(folder, name),
        applicationServer: '127.0.0.1:0',
        heartbeatIntervalMs: 100,
        queryTimeoutMs: 10_000,
        ...settings,
      },
      { onWarning: (message) => warnings.push(message) },
    )
    running.push(application)
    await application.waitFor('running')
    return application
  }

  beforeAll(async () => {
    broker = await startBroker({ topics: [{ name: 'input', partitions: 4 }] })
    await using client = new TopicClient(broker.bootstrapServers)
    await client.write(
      input,
      keys.map((key) => ({ key, value: key })),
    )
    authority = await createAuthority(folder, 'authority')
  })
  afterAll(async () => {
    await Promise.all(running.map((each) => each.close()))
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('read from each other, and answer nobody without the token or without a certificate', async () => {
    const { certFile, keyFile } = await authority.sign('member')
    const { caFile } = authority
    const queryTls = { certFile, keyFile, caFile, clientAuth: 'required' } as const
    const settings = { queryToken: 'a-token', queryMemberSecret: 'a-secret', queryTls }
    const members = [await member('one', settings), await member('two', settings)] as const
    for (const each of members) {
      await expect.poll(() => each.tasks.length, { timeout: 20_000 }).toBe(2)
      const rows = each.queries.tableStore<string, string>('rows')
      await expect
        .poll(async () => (await Promise.all(keys.map((key) => rows.get(key)))).map((row) => row?.value), {
          timeout: 20_000,
        })
        .toEqual(keys)
    }
    const [one] = members
    const port = Number(one.queries.address?.split(':')[1])
    const ask = (tls: object | undefined, token: string): Promise<HttpAnswer> =>
      askOverHttp({
        ...{ host: '127.0.0.1', port, method: 'GET', path: '/stores', maxAnswerBytes: 100_000, tls },
        headers: { authorization: `Bearer ${token}` },
      })
    const ca = readFileSync(caFile)
    const certificate = { ca, cert: readFileSync(certFile), key: readFileSync(keyFile) }
    expect((await ask(certificate, 'a-token')).status).toBe(200)
    expect((await ask(certificate, 'a-secret')).status).toBe(401)
    await expect(ask({ ca }, 'a-token')).rejects.toThrow(/certificate|alert|hang up|ECONNRESET|EPIPE/)
    await expect(
      ask(certificate.cert && { cert: certificate.cert, key: certificate.key }, 'a-token'),
    ).rejects.toThrow('certificate')
    await expect(ask(undefined, 'a-token')).rejects.toThrow(/hang up|ECONNRESET|EPIPE/)
    expect(warnings).toEqual([])
  })

  it('warn where everybody on the network may read, and not where something protects it', async () => {
    const open = { applicationServer: undefined, queryListen: '0.0.0.0:0' }
    await running[0]?.close()
    await member('open', open)
    expect(warnings.join()).toMatch(/0\.0\.0\.0:0 are open to every client that reaches it; set queryToken/)
    warnings.splice(0)
    // The token closes the listener, but travels as readable text.
    await member('readable', { ...open, queryToken: 'a-token' })
    expect(warnings).toEqual([
      expect.stringMatching(/send the queryToken to 0\.0\.0\.0:0 as readable text.*set queryTls/),
    ])
    expect(warnings.join()).not.toContain('a-token')
    warnings.splice(0)
    const { certFile, keyFile } = await authority.sign('closed')
    await member('closed', { ...open, queryToken: 'a-token', queryTls: { certFile, keyFile } })
    await member('signing', {
      ...open,
      queryMemberSecret: 'a-secret',
      queryToken: undefined,
      queryListen: '127.0.0.1:0',
    })
    expect(warnings).toEqual([])
  })

  it('a certificate that cannot be used ends the start', async () => {
    const { certFile } = await authority.sign('lone')
    const queryTls = { certFile, keyFile: certFile }
    await expect(member('broken', { queryTls })).rejects.toThrow(
      /certificate of queries can't be used.*queryTls names/,
    )
  })
})
