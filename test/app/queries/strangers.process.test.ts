import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { askOverHttp } from '../../../src/app/queries/http-request.ts'
import { HttpListener } from '../../../src/app/queries/http-listener.ts'
import type { ConnectionLimits } from '../../../src/app/queries/http-listener.ts'
import type { PageReader } from '../../../src/app/queries/page-reader.ts'
import { closeServer, listen, queryServer } from '../../../src/app/queries/query-server.ts'
import { QueryTls } from '../../../src/app/queries/query-tls.ts'
import { noParameters, ok, route } from '../../../src/app/queries/route.ts'
import { systemClock } from '../../../src/base/system-clock.ts'
import { createAuthority } from '../../support/certificates.ts'
import { rawConnection } from '../../support/raw-http.ts'

const plain = { operationId: 'x', summary: 'x', parameters: noParameters, responses: {} }
const large = 'x'.repeat(16 * 1024 * 1024)
const routes = [
  route({ ...plain, method: 'GET', path: '/large', handle: () => ok({ large }) }),
  route({ ...plain, method: 'GET', path: '/small', handle: () => ok({ small: true }) }),
  route({ ...plain, method: 'GET', path: '/never', handle: () => new Promise(() => undefined) }),
]
const patient: ConnectionLimits = {
  requestTimeoutMs: 60_000,
  idleTimeoutMs: 60_000,
  answerTimeoutMs: 60_000,
  maxConnections: 100,
}

/** What clients do that are broken, slow or hostile; each leaves its connection as it is. */
const strangers = [
  ['is silent', ''],
  ['has sent half a head', 'GET /small HTTP/1.1\r\nHost: a'],
  ['has sent half a body', 'POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{'],
  ['keeps its connection for later', 'GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['never reads its answer', 'GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['waits for an answer that never comes', 'GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n'],
] as const

describe.each(['http', 'https'] as const)('an %s listener', (scheme) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-strangers-'))
  let tls: QueryTls | undefined
  beforeAll(async () => {
    if (scheme === 'http') return
    const { certFile, keyFile } = await (await createAuthority(folder, 'shop')).sign('server')
    tls = new QueryTls({ certFile, keyFile, clientAuth: 'none' })
  })
  const sockets: Socket[] = []
  afterEach(() => {
    for (const each of sockets.splice(0)) each.destroy()
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const serve = async (
    limits: Partial<ConnectionLimits>,
  ): Promise<{ port: number; close: () => Promise<void> }> => {
    const listener = new HttpListener({ ...patient, ...limits })
    const server = queryServer(routes, () => ({}) as PageReader, { listener, tls: tls?.server })
    const port = await listen(server, { host: '127.0.0.1', port: 0 })
    return { port, close: () => closeServer(server, listener, systemClock) }
  }

  const stranger = async (port: number, sent: string): Promise<Socket> => {
    const raw = await rawConnection(port)
    sockets.push(raw)
    if (scheme === 'http') {
      raw.write(sent)
      return raw
    }
    const secure = connectTls({ socket: raw, rejectUnauthorized: false })
    secure.on('error', () => undefined)
    await once(secure, 'secureConnect')
    secure.write(sent)
    return secure
  }

  it.each(strangers)('closes within a second while a client %s', async (_what, sent) => {
    const server = await serve({})
    const socket = await stranger(server.port, sent)
    await askOnce(server.port)
    const begunMs = performance.now()
    await server.close()
    expect(performance.now() - begunMs).toBeLessThan(3_000)
    await closed(socket)
  })

  it.each(strangers.slice(0, 3))('ends the connection of a client that %s', async (_what, sent) => {
    const server = await serve({ requestTimeoutMs: 100, idleTimeoutMs: 2_000 })
    await closed(await stranger(server.port, sent))
    await server.close()
  })

  it('ends the connection of a client that never reads its answer', async () => {
    const server = await serve({ answerTimeoutMs: 100 })
    const client = await stranger(server.port, strangers[4][1])
    // It would read the answer to its end, and keep the connection, if it read at once.
    await new Promise((resolve) => setTimeout(resolve, 500))
    await closed(client)
    await server.close()
  })

  it('ends a connection without traffic', async () => {
    const server = await serve({ idleTimeoutMs: 100 })
    await closed(await stranger(server.port, ''))
    await closed(await stranger(server.port, strangers[3][1]))
    await server.close()
  })

  it('closes the connection that has been idle longest where there are too many, and answers new ones', async () => {
    const server = await serve({ maxConnections: 5 })
    const busy = await stranger(server.port, strangers[5][1])
    await askOnce(server.port)
    const silent: Socket[] = []
    for (let count = 0; count < 20; count++) silent.push(await stranger(server.port, ''))
    await askOnce(server.port)
    await closed(silent[0] as Socket)
    expect(busy.destroyed).toBe(false)
    await server.close()
  })

  it.runIf(scheme === 'https')('ends, and closes despite, a TLS handshake that is not complete', async () => {
    const server = await serve({ requestTimeoutMs: 100 })
    const socket = await rawConnection(server.port)
    sockets.push(socket)
    socket.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]))
    await closed(socket)
    const other = await serve({})
    sockets.push(await rawConnection(other.port))
    await askOnce(other.port)
    const begunMs = performance.now()
    await Promise.all([server.close(), other.close()])
    expect(performance.now() - begunMs).toBeLessThan(3_000)
  })

  const askOnce = async (port: number): Promise<void> => {
    const { status } = await askOverHttp({
      ...{ host: '127.0.0.1', port, method: 'GET', path: '/small', maxAnswerBytes: 1_000 },
      tls: scheme === 'https' ? { rejectUnauthorized: false } : undefined,
    })
    expect(status).toBe(200)
  }
})

const closed = async (socket: Socket): Promise<void> => {
  socket.resume()
  if (!socket.closed) await once(socket, 'close')
}
