import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { FastifyInstance } from 'fastify'
import type { PageReader } from '../../../src/app/queries/page-reader.ts'
import {
  isSame,
  signAnswer,
  signatureHeader,
  signRequest,
} from '../../../src/app/queries/member-signature.ts'
import { PageTokens } from '../../../src/app/queries/page-token.ts'
import { queryServer } from '../../../src/app/queries/query-server.ts'
import type { AccessOptions } from '../../../src/app/queries/request-access.ts'
import { RequestAccess } from '../../../src/app/queries/request-access.ts'
import { routesOf } from '../../../src/app/queries/routes.ts'
import { CurrentSecret } from '../../../src/app/secret.ts'
import { ManualClock } from '../../../src/base/manual-clock.ts'
import { string } from '../../../src/index.ts'

const endpoint = 'orders-1:8080'
const listing = {
  definition: { name: 'counts', kind: 'keyValue', timestamped: true, key: string, value: string },
}
const pages = {
  host: { state: 'running' },
  directory: { store: () => listing },
  readHere: async () => ({ rows: [] }),
} as unknown as PageReader

const secret = (text: string): CurrentSecret => new CurrentSecret('queryToken', text)

const serve = (options: Partial<AccessOptions>): FastifyInstance => {
  const access = new RequestAccess({ clock: new ManualClock(), endpoint: () => endpoint, ...options })
  return queryServer(routesOf('shop'), () => pages, { access })
}

interface Answer {
  readonly status: number
  readonly code: unknown
}

const get = async (
  server: FastifyInstance,
  authorization?: string,
  url = '/health/live',
): Promise<Answer> => {
  const headers = authorization === undefined ? {} : { authorization }
  const { statusCode, body } = await server.inject({ method: 'GET', url, headers })
  return { status: statusCode, code: (JSON.parse(body) as { readonly code?: unknown }).code }
}

const answered = { status: 200, code: undefined }
const unauthorized = { status: 401, code: 'UNAUTHORIZED' }

describe('a server with a token', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-token-'))
  const file = join(folder, 'token')
  afterAll(() => rmSync(folder, { recursive: true }))

  it('answers requests that carry it, and no others', async () => {
    const server = serve({ token: secret('right') })
    expect(await get(server, 'Bearer right')).toEqual(answered)
    expect(await get(server, 'bearer  right')).toEqual(answered)
    for (const wrong of [undefined, '', 'Bearer', 'Bearer wrong', 'Bearer right2', 'Basic right', 'right'])
      expect(await get(server, wrong), wrong).toEqual(unauthorized)
    for (const url of ['/stores', '/metrics', '/openapi.json', '/nowhere'])
      expect(await get(server, undefined, url), url).toEqual(unauthorized)
    const { headers } = await server.inject('/stores')
    expect(headers['www-authenticate']).toBe('Bearer')
  })

  it('takes a new token as soon as the file has it, and every line while processes change to it', async () => {
    writeFileSync(file, 'old\n')
    const server = serve({ token: new CurrentSecret('queryToken', { file }) })
    expect(await get(server, 'Bearer old')).toEqual(answered)
    const replace = (text: string): void => {
      writeFileSync(`${file}.new`, text)
      renameSync(`${file}.new`, file)
    }
    replace('new\nold\n')
    expect(await get(server, 'Bearer old')).toEqual(answered)
    expect(await get(server, 'Bearer new')).toEqual(answered)
    replace('new\n')
    expect(await get(server, 'Bearer old')).toEqual(unauthorized)
    expect(await get(server, 'Bearer new')).toEqual(answered)
  })

  it('answers nobody while the file is away or empty', async () => {
    writeFileSync(file, 'token')
    const server = serve({ token: new CurrentSecret('queryToken', { file }) })
    writeFileSync(file, '\n')
    expect(await get(server, 'Bearer token')).toEqual({ status: 503, code: 'SECRET_UNREADABLE' })
    rmSync(file)
    expect(await get(server, 'Bearer token')).toEqual({ status: 503, code: 'SECRET_UNREADABLE' })
    writeFileSync(file, 'token')
    expect(await get(server, 'Bearer token')).toEqual(answered)
  })

  it('a file that holds none ends the start', () => {
    expect(() => new CurrentSecret('queryToken', { file: join(folder, 'nowhere') })).toThrow(
      'the setting queryToken holds no secret now',
    )
  })
})

describe('the option authorization', () => {
  it('sees the request and decides', async () => {
    const seen: unknown[] = []
    const server = serve({
      authorization: async (request) => {
        seen.push([request.method, request.url, request.headers['x-user'], request.remoteAddress])
        return request.headers['x-user'] === 'ada'
      },
    })
    const asked = async (user: string): Promise<number> =>
      (await server.inject({ url: '/stores/a?b', headers: { 'x-user': user } })).statusCode
    expect(await asked('bob')).toBe(403)
    expect(await asked('ada')).toBe(400)
    expect(seen[1]).toEqual(['GET', '/stores/a?b', 'ada', '127.0.0.1'])
  })

  it('refuses by an error, and by anything but true', async () => {
    const warnings: string[] = []
    const throwing = serve({
      authorization: () => {
        throw new Error('password hunter2')
      },
      onWarning: (message) => warnings.push(message),
    })
    expect(await get(throwing)).toEqual({ status: 403, code: 'FORBIDDEN' })
    expect(warnings).toEqual(['the option authorization has failed, so the request is refused'])
    const vague = serve({ authorization: () => 'yes' as unknown as boolean })
    expect(await get(vague)).toEqual({ status: 403, code: 'FORBIDDEN' })
  })

  it('that never decides refuses in the end', async () => {
    const clock = new ManualClock()
    const asked = Promise.withResolvers<void>()
    const authorization = (): Promise<boolean> => {
      asked.resolve()
      return new Promise(() => undefined)
    }
    const answer = get(serve({ clock, authorization }))
    await asked.promise
    clock.advance(10_000)
    expect(await answer).toEqual({ status: 503, code: 'AUTHORIZATION_LATE' })
  })

  it('is asked beside the token, not instead of it', async () => {
    const server = serve({ token: secret('right'), authorization: () => true })
    expect(await get(server)).toEqual(unauthorized)
    expect(await get(server, 'Bearer right')).toEqual(answered)
  })
})

describe('the route between processes', () => {
  const body = JSON.stringify({
    store: 'counts',
    partition: 0,
    query: { kind: 'range' },
    limit: 10,
    isolation: 'read_uncommitted',
  })
  const servers: FastifyInstance[] = []
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((each) => each.close()))
  })
  const post = async (
    options: Partial<AccessOptions>,
    headers: Readonly<Record<string, string>>,
    payload = body,
  ): Promise<{
    readonly status: number
    readonly code: unknown
    readonly signature: unknown
    readonly text: string
  }> => {
    const server = serve(options)
    servers.push(server)
    const response = await server.inject({
      method: 'POST',
      url: '/internal/pages',
      headers: { 'content-type': 'application/json', ...headers },
      payload,
    })
    return {
      status: response.statusCode,
      code: response.json<{ code?: unknown }>().code,
      signature: response.headers[signatureHeader],
      text: response.body,
    }
  }
  const memberSecret = secret('ours')
  const unknown = { status: 401, code: 'MEMBER_UNKNOWN' }

  it('answers a process that has the secret, and proves that it has it too', async () => {
    const { header, nonce } = signRequest('ours', endpoint, body)
    const { status, signature, text } = await post({ memberSecret }, { [signatureHeader]: header })
    expect(status).toBe(200)
    expect(isSame(String(signature), signAnswer({ secret: 'ours', nonce }, 200, text))).toBe(true)
    expect(isSame(String(signature), signAnswer({ secret: 'ours', nonce: 'other' }, 200, text))).toBe(false)
  })

  it.each([
    ['no signature', {}],
    ['a signature by another secret', { [signatureHeader]: signRequest('theirs', endpoint, body).header }],
    [
      'a request to another process',
      { [signatureHeader]: signRequest('ours', 'orders-2:8080', body).header },
    ],
    ['another body', { [signatureHeader]: signRequest('ours', endpoint, `${body} `).header }],
    ['half a signature', { [signatureHeader]: 'a.b' }],
    ['a token', { authorization: 'Bearer ours' }],
    [
      'a web page',
      {
        [signatureHeader]: signRequest('ours', endpoint, body).header,
        origin: 'http://localhost:80',
        host: 'localhost:80',
      },
    ],
  ])('refuses %s', async (_what, headers) => {
    expect(await post({ memberSecret }, headers)).toMatchObject(unknown)
  })

  it('without a secret, is guarded as every other route', async () => {
    expect(await post({}, {})).toMatchObject({ status: 200, signature: undefined })
    expect(await post({ authorization: () => false }, {})).toMatchObject({ status: 403, code: 'FORBIDDEN' })
  })
})

describe('where a listing goes on', () => {
  const start = { partition: 1, after: { key: new Uint8Array([1]), time: 5 } }

  it('is authenticated where there is a secret: for the request and by any process that has it', () => {
    const token = new PageTokens(secret('ours')).encode(start, 'request')
    expect(new PageTokens(secret('newer\nours')).decode(token, 'request')).toEqual(start)
    const wrong = expect.objectContaining({ code: 'QUERY_INVALID' })
    expect(() => new PageTokens(secret('ours')).decode(token, 'another')).toThrow(wrong)
    expect(() => new PageTokens(secret('theirs')).decode(token, 'request')).toThrow(wrong)
    const [text = '', code = ''] = token.split('.')
    const forged = new PageTokens(undefined).encode({ partition: 0 }, 'request')
    for (const each of [text, `${text}.`, `${forged}.${code}`, `.${code}`, ''])
      expect(() => new PageTokens(secret('ours')).decode(each, 'request')).toThrow(wrong)
  })

  it('is not authenticated without one, so that any process continues it', () => {
    const token = new PageTokens(undefined).encode(start, 'request')
    expect(new PageTokens(undefined).decode(token, 'request')).toEqual(start)
  })
})
