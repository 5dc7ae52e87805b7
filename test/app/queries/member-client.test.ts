import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { isEndpoint, isLoopback, isUnroutable } from '../../../src/app/queries/endpoint.ts'
import { mayAsk } from '../../../src/app/queries/member-addresses.ts'
import type { MemberClientOptions } from '../../../src/app/queries/member-client.ts'
import { MemberClient } from '../../../src/app/queries/member-client.ts'
import { proveRequest, signAnswer, signatureHeader } from '../../../src/app/queries/member-signature.ts'
import type { WireRequest } from '../../../src/app/queries/wire.ts'
import { CurrentSecret } from '../../../src/app/secret.ts'
import { systemClock } from '../../../src/base/system-clock.ts'

const request: WireRequest = {
  store: 'counts',
  partition: 0,
  query: { kind: 'range' },
  limit: 2,
  isolation: 'read_uncommitted',
}
const row = { key: 'YQ==', value: 'YQ==' }
const page = JSON.stringify({ rows: [row] })

describe('asking another process of the application', () => {
  const servers: Server[] = []
  const clients: MemberClient[] = []
  afterEach(() => {
    for (const each of clients.splice(0)) each.close()
    for (const each of servers.splice(0)) each.close().closeAllConnections()
  })

  /** A member of the group that is not what it says; resolves with its endpoint and the requests it got. */
  const member = async (
    answer: (request: IncomingMessage, response: ServerResponse, endpoint: string) => void,
  ): Promise<{ readonly endpoint: string; readonly requests: string[] }> => {
    const requests: string[] = []
    const server = createServer((incoming, response) => {
      requests.push(`${incoming.method} ${incoming.url}`)
      answer(incoming, response, endpoint)
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`
    return { endpoint, requests }
  }

  const ask = (
    endpoint: string,
    options: Partial<MemberClientOptions> = {},
    timeoutMs = 5_000,
  ): Promise<unknown> => {
    const addresses = { memberHosts: undefined, ownHost: '127.0.0.1' }
    const client = new MemberClient({ clock: systemClock, addresses, maxRowBytes: 1_000, ...options })
    clients.push(client)
    return client.ask(request, { endpoint, timeoutMs, signal: new AbortController().signal })
  }

  const fault = (code: string): unknown => expect.objectContaining({ code })

  it('gives a page that is one', async () => {
    const { endpoint, requests } = await member((_, response) => response.end(page))
    expect(await ask(endpoint)).toMatchObject({ rows: [{ key: new Uint8Array([97]) }] })
    expect(requests).toEqual(['POST /internal/pages'])
  })

  it.each([
    '127.0.0.1:80/steal?x=',
    'user@127.0.0.1:80',
    'http://127.0.0.1:80',
    '127.0.0.1:80#',
    '127.0.0.1',
    '127.0.0.1:99999',
    '127.0.0.1:80\r\nX: y',
    ' 127.0.0.1:80',
    '[127.0.0.1]:80',
    '',
    'null',
  ])("sends nothing to the endpoint '%s', which is no host and port", async (endpoint) => {
    expect(isEndpoint(endpoint)).toBe(false)
    await expect(ask(endpoint)).rejects.toThrow(fault('OWNER_NOT_ALLOWED'))
  })

  it('follows no redirect', async () => {
    const target = await member((_, response) => response.end(page))
    const { endpoint } = await member((_, response) =>
      response.writeHead(302, { location: `http://${target.endpoint}/internal/pages` }).end(),
    )
    await expect(ask(endpoint)).rejects.toThrow(fault('OWNER_ANSWER_INVALID'))
    expect(target.requests).toEqual([])
  })

  it.each([
    ['no JSON', 'rows'],
    ['no page', '{"rows":5}'],
    ['a row without a key', '{"rows":[{"value":"YQ=="}]}'],
    ['a key that is no base64', '{"rows":[{"key":"ü","value":"YQ=="}]}'],
    ['more rows than were asked for', JSON.stringify({ rows: [row, row, row] })],
    ['an empty page without an end', '{"rows":[],"after":{"key":"YQ=="}}'],
  ])('passes nothing on of an answer with %s', async (_what, answer) => {
    const { endpoint } = await member((_, response) => response.end(answer))
    await expect(ask(endpoint)).rejects.toThrow(fault('OWNER_ANSWER_INVALID'))
  })

  it('passes on what such a process refuses, and nothing that it would not answer', async () => {
    const refusing = (status: number, problem: object): Promise<{ readonly endpoint: string }> =>
      member((_, response) => response.writeHead(status).end(JSON.stringify(problem)))
    const notHere = await refusing(421, { code: 'STORE_NOT_HERE', message: 'elsewhere', retryable: true })
    await expect(ask(notHere.endpoint)).rejects.toThrow(fault('STORE_NOT_HERE'))
    const strange = await refusing(500, { code: 'X', message: 'a'.repeat(5_000), retryable: false })
    await expect(ask(strange.endpoint)).rejects.toThrow(fault('OWNER_ANSWER_INVALID'))
  })

  it('stops reading an answer that is larger than a page can be', async () => {
    let sent = 0
    const { endpoint } = await member((_, response) => {
      const chunk = 'x'.repeat(64 * 1024)
      const write = (): void => {
        while (!response.destroyed && sent < 64 * 1024 * 1024) {
          sent += chunk.length
          if (!response.write(chunk)) return void response.once('drain', write)
        }
        response.end()
      }
      write()
    })
    await expect(ask(endpoint)).rejects.toThrow(fault('OWNER_UNREACHABLE'))
    expect(sent).toBeLessThan(32 * 1024 * 1024)
  })

  it.each([
    ['never answers', () => undefined],
    ['answers a byte and no more', (_: unknown, response: ServerResponse) => void response.write('{')],
  ])('does not wait longer than its time for a process that %s', async (_what, answer) => {
    const { endpoint } = await member(answer)
    await expect(ask(endpoint, {}, 50)).rejects.toThrow(fault('OWNER_UNREACHABLE'))
  })

  describe('with a secret', () => {
    const secret = new CurrentSecret('queryMemberSecret', 'ours')

    it('gives the page of a process that proves that it has it', async () => {
      const { endpoint } = await member((incoming, response, own) => {
        const proven = proveRequest(['ours'], own, incoming.headers[signatureHeader])
        if (proven === undefined) return void response.writeHead(401).end()
        response.setHeader(signatureHeader, signAnswer(proven, 200, page)).end(page)
      })
      expect(await ask(endpoint, { secret })).toMatchObject({ rows: [{}] })
    })

    it.each([
      ['proves nothing', page, undefined],
      ['has another secret', page, 'theirs'],
      ['signs another page', '{"rows":[]}', 'ours'],
    ])('passes nothing on of a process that %s, and shows it no secret', async (_what, signed, own) => {
      const headers: string[] = []
      const { endpoint } = await member((incoming, response) => {
        headers.push(JSON.stringify(incoming.headers))
        const nonce = String(incoming.headers[signatureHeader]).split('.')[0] as string
        if (own !== undefined)
          response.setHeader(signatureHeader, signAnswer({ secret: own, nonce }, 200, signed))
        response.end(page)
      })
      await expect(ask(endpoint, { secret })).rejects.toThrow(fault('OWNER_UNPROVEN'))
      expect(headers.join()).not.toContain('ours')
    })
  })

  it('refuses a name that stands for an address that may not be asked', async () => {
    const { endpoint, requests } = await member((_, response) => response.end(page))
    const named = endpoint.replace('127.0.0.1', 'localhost')
    const addresses = { memberHosts: undefined, ownHost: 'orders-1.example' }
    await expect(ask(named, { addresses })).rejects.toThrow(fault('OWNER_NOT_ALLOWED'))
    await expect(ask(named, { addresses: { ...addresses, memberHosts: ['orders-2'] } })).rejects.toThrow(
      fault('OWNER_NOT_ALLOWED'),
    )
    expect(requests).toEqual([])
    expect(await ask(named, { addresses: { ...addresses, memberHosts: ['localhost'] } })).toMatchObject({
      rows: [{}],
    })
  })
})

describe('which hosts may be asked', () => {
  it.each([
    ['orders-2', 'orders-1', undefined, true],
    ['10.0.0.2', 'orders-1', undefined, true],
    ['169.254.169.254', 'orders-1', undefined, false],
    ['::ffff:169.254.169.254', 'orders-1', undefined, false],
    ['fe80::1', 'orders-1', undefined, false],
    ['0.0.0.0', 'orders-1', undefined, false],
    ['127.0.0.1', 'orders-1', undefined, false],
    ['::1', 'orders-1', undefined, false],
    ['localhost', 'orders-1', undefined, false],
    ['127.0.0.1', '127.0.0.1', undefined, true],
    ['localhost', '127.0.0.1', undefined, true],
    ['orders-2.shop.svc', 'orders-1', ['*.shop.svc'], true],
    ['ORDERS-2', 'orders-1', ['orders-2'], true],
    ['orders-3', 'orders-1', ['orders-2'], false],
    ['10.0.0.2', 'orders-1', ['orders-2'], false],
    ['169.254.1.1', 'orders-1', ['169.254.1.1'], true],
    ['orders-1', 'orders-1', ['orders-2'], true],
  ] as const)('%s by the process %s with the list %s: %s', (host, ownHost, memberHosts, expected) => {
    expect(mayAsk(host, { ownHost, memberHosts })).toBe(expected)
  })

  it('an address counts as what it is, and a name that looks like one does not', () => {
    expect(
      ['localhost', 'a.localhost', '127.1.2.3', '::1', '::ffff:127.0.0.1'].map(isLoopback),
    ).not.toContain(false)
    expect(['127.evil.example', 'localhost.evil', '1.127.0.0', '::2'].map(isLoopback)).not.toContain(true)
    expect(['169.254.0.1', '224.0.0.1', '255.255.255.255', '::', 'ff02::1'].map(isUnroutable)).not.toContain(
      false,
    )
    expect(['10.0.0.1', '192.168.0.1', 'fd00::1', 'orders'].map(isUnroutable)).not.toContain(true)
  })
})
