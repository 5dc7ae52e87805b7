import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HttpListener } from '../../../src/app/queries/http-listener.ts'
import type { PageReader } from '../../../src/app/queries/page-reader.ts'
import { closeServer, listen, queryServer } from '../../../src/app/queries/query-server.ts'
import type { GuardSettings } from '../../../src/app/queries/request-guard.ts'
import { routesOf } from '../../../src/app/queries/routes.ts'
import { systemClock } from '../../../src/base/system-clock.ts'
import type { RawAnswer } from '../../support/raw-http.ts'
import { rawRequest } from '../../support/raw-http.ts'

interface Server {
  readonly port: number
  readonly close: () => Promise<void>
}

/** A server without an application: what it refuses, it refuses before it looks for one. */
const serve = async (guard: Partial<GuardSettings> = {}): Promise<Server> => {
  const listener = new HttpListener()
  const host = { state: 'running' }
  const server = queryServer(routesOf('shop'), () => ({ host }) as unknown as PageReader, {
    listener,
    guard: { listensOn: '127.0.0.1', allowedHosts: [], allowedOrigins: [], ...guard },
  })
  const port = await listen(server, { host: '127.0.0.1', port: 0 })
  return { port, close: () => closeServer(server, listener, systemClock) }
}

const live = 'GET /health/live HTTP/1.1'
const problemIn = ({ body }: RawAnswer): unknown => JSON.parse(body)

describe('a server on loopback', () => {
  let server: Server
  beforeAll(async () => {
    server = await serve({ allowedHosts: ['orders-1', '*.example.org'] })
  })
  afterAll(() => server.close())

  it.each([
    'localhost',
    'LOCALHOST.:8080',
    'shop.localhost',
    '127.0.0.1:1',
    '127.9.9.9',
    '[::1]:8080',
    '[::ffff:127.0.0.1]',
    'orders-1:8080',
    'Orders-1',
    'a.b.example.org',
  ])('answers for the host %s', async (host) => {
    expect(await rawRequest(server.port, [live, `Host: ${host}`])).toMatchObject({ status: 200 })
  })

  it.each([
    'evil.example:22510',
    '127.evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'evillocalhost',
    'example.org',
    'evilexample.org',
    '10.0.0.1',
    '[fe80::1]',
    'localhost@evil.example',
    'localhost:80:80',
    'localhost/..',
    '[localhost]',
    '2130706433',
    '0x7f.1',
    '',
  ])("answers nothing for the host '%s', as a name may have been pointed here", async (host) => {
    const answer = await rawRequest(server.port, [live, `Host: ${host}`])
    expect(answer.status).toBe(421)
    expect(problemIn(answer)).toMatchObject({
      code: 'HOST_NOT_ALLOWED',
      remedy: expect.stringContaining('queryAllowedHosts'),
    })
  })

  it('answers HTTP/1.0 without a host, which no browser sends', async () => {
    expect(await rawRequest(server.port, ['GET /health/live HTTP/1.0'])).toMatchObject({ status: 200 })
  })

  it.each([
    ['two hosts', [live, 'Host: localhost', 'Host: evil.example']],
    ['a target with a host of its own', ['GET http://evil.example/health/live HTTP/1.1', 'Host: localhost']],
    ['a target that is no path', ['OPTIONS * HTTP/1.1', 'Host: localhost']],
    ['a path that is not encoded rightly', ['GET /stores/%ff HTTP/1.1', 'Host: localhost']],
  ])('refuses %s', async (_what, lines) => {
    const answer = await rawRequest(server.port, lines)
    expect(answer.status).toBe(400)
    expect(problemIn(answer)).toMatchObject({ code: 'QUERY_INVALID' })
  })

  it.each([
    ['no HTTP', ['HELO mail'], 400],
    ['headers of 20 kB', [live, 'Host: localhost', `X: ${'x'.repeat(20_000)}`], 431],
    ['no host', [live], 400],
  ])('answers %s with a problem', async (_what, lines, status) => {
    const answer = await rawRequest(server.port, lines)
    expect(answer.status).toBe(status)
    expect(problemIn(answer)).toMatchObject({ code: 'QUERY_INVALID' })
  })

  it.each([
    ['the same origin', ['Sec-Fetch-Site: same-origin', 'Origin: http://localhost:8080']],
    ['the address bar', ['Sec-Fetch-Site: none']],
    ['the same origin behind TLS that ends elsewhere', ['Origin: https://localhost:8080']],
  ])('answers a page of %s', async (_what, headers) => {
    const answer = await rawRequest(server.port, [live, 'Host: localhost:8080', ...headers])
    expect(answer.status).toBe(200)
    expect(answer.headers).not.toContain('access-control')
  })

  it.each([
    ['another site', ['Sec-Fetch-Site: cross-site']],
    ['another port', ['Sec-Fetch-Site: same-site', 'Origin: http://localhost:3000']],
    ['a foreign origin alone', ['Origin: http://evil.example']],
    ['an origin without a name', ['Origin: null']],
    ['two origins', ['Origin: http://localhost:8080', 'Origin: http://evil.example']],
    ['two sites', ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Site: cross-site']],
  ])('refuses a page of %s', async (_what, headers) => {
    const answer = await rawRequest(server.port, [live, 'Host: localhost:8080', ...headers])
    expect(answer.status).toBe(403)
    expect(answer.headers).not.toContain('access-control')
    expect(problemIn(answer)).toMatchObject({
      code: 'ORIGIN_NOT_ALLOWED',
      remedy: expect.stringContaining('queryAllowedOrigins'),
    })
  })

  it.each([
    ['POST', '/stores', 'GET, HEAD'],
    ['DELETE', '/stores/counts/value?key=ada', 'GET, HEAD'],
    ['PUT', '/openapi.json', 'GET, HEAD'],
    ['GET', '/internal/pages', 'POST'],
    ['OPTIONS', '/metrics', 'GET, HEAD'],
    ['PROPFIND', '/health/live', 'GET, HEAD'],
  ])('answers %s %s with 405 and the methods there are', async (method, path, allow) => {
    const answer = await rawRequest(server.port, [`${method} ${path} HTTP/1.1`, 'Host: localhost'])
    expect(answer.status).toBe(405)
    expect(answer.headers).toContain(`\r\nallow: ${allow.toLowerCase()}\r\n`)
    expect(problemIn(answer)).toMatchObject({ code: 'METHOD_NOT_ALLOWED' })
  })

  it('an answer is for the one that asked, and is what it says it is', async () => {
    const { headers } = await rawRequest(server.port, [live, 'Host: localhost'])
    expect(headers).toContain('cache-control: no-store')
    expect(headers).toContain('x-content-type-options: nosniff')
  })
})

describe('a server on another address', () => {
  it('answers to addresses and to the names that the settings know, and to no other', async () => {
    const server = await serve({ listensOn: '0.0.0.0', allowedHosts: ['orders-1'] })
    const statusFor = async (host: string): Promise<number> =>
      (await rawRequest(server.port, [live, `Host: ${host}`])).status
    expect(await Promise.all(['10.0.0.1:8080', '[fd00::1]', 'orders-1', 'localhost'].map(statusFor))).toEqual(
      [200, 200, 200, 200],
    )
    expect(await statusFor('evil.example')).toBe(421)
    await server.close()
  })
})

describe('a page whose origin is allowed', () => {
  const origin = 'https://dashboard.example.org'
  let server: Server
  beforeAll(async () => {
    server = await serve({ allowedOrigins: [origin] })
  })
  afterAll(() => server.close())

  it('may read the answer', async () => {
    const page = ['Host: localhost', `Origin: ${origin}`, 'Sec-Fetch-Site: cross-site']
    const answer = await rawRequest(server.port, [live, ...page])
    expect(answer.status).toBe(200)
    expect(answer.headers).toContain(`access-control-allow-origin: ${origin}\r\n`)
    expect(answer.headers).toContain('vary: origin')
  })

  it('may ask whether it may', async () => {
    const answer = await rawRequest(server.port, [
      'OPTIONS /stores HTTP/1.1',
      ...['Host: localhost', `Origin: ${origin}`, 'Access-Control-Request-Method: GET'],
    ])
    expect(answer.status).toBe(204)
    expect(answer.headers).toContain('access-control-allow-headers: authorization')
  })

  it('and no other page', async () => {
    for (const other of ['https://dashboard.example.org.evil.example', 'http://dashboard.example.org'])
      expect(await rawRequest(server.port, [live, 'Host: localhost', `Origin: ${other}`])).toMatchObject({
        status: 403,
      })
  })
})
