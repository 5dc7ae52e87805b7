import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import type { RunningBroker } from '../../../src/broker/index.ts'
import { startBroker } from '../../../src/broker/index.ts'
import { apiVersionsApi } from '../../../src/kafka/api-versions-codec.ts'
import { callApi, metadataApi } from '../../../src/kafka/apis.ts'
import type { KafkaSettings } from '../../../src/kafka/kafka-settings.ts'
import { TcpTransport } from '../../../src/kafka/connection/tcp-transport.ts'
import { freePort } from '../../support/free-port.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

const transportTo = (brokers: string, settings: Partial<KafkaSettings> = {}): TcpTransport => {
  const transport = new TcpTransport({ brokers, clientId: 'test', ...settings })
  closers.push(() => transport.close())
  return transport
}

const brokerAt = async (port = 0): Promise<RunningBroker> => {
  const broker = await startBroker({ port })
  closers.push(() => broker.close())
  return broker
}

/** A server that answers as `onData` says. */
const serverOf = async (onData: (socket: Socket, data: Buffer) => void): Promise<number> => {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (data) => onData(socket, data))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

const versionsKey = 18
const handshakeKey = 17
const authenticateKey = 36

/** The requests that a piece of what a socket brings holds; each test's requests come whole. */
const requestsIn = (data: Buffer): readonly { readonly apiKey: number; readonly correlationId: Buffer }[] => {
  const requests = []
  for (let at = 0; at < data.length; at += 4 + data.readInt32BE(at))
    requests.push({ apiKey: data.readInt16BE(at + 4), correlationId: data.subarray(at + 8, at + 12) })
  return requests
}

const answer = (socket: Socket, correlationId: Buffer, body: Buffer): void => {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length + 4)
  socket.write(Buffer.concat([size, correlationId, body]))
}

const versionsAnswer = Buffer.from('0000010000000000', 'hex')
const throttleAt = 3
const handshakeAnswer = Buffer.from('0000000000010005504c41494e', 'hex')

/** Authenticates with what `bodyOf` says, and answers what comes then with no versions at all. */
const authenticating =
  (bodyOf: () => Buffer, told: number[] = []) =>
  (socket: Socket, data: Buffer): void => {
    for (const { apiKey, correlationId } of requestsIn(data)) {
      told.push(apiKey)
      if (apiKey === handshakeKey) answer(socket, correlationId, handshakeAnswer)
      else if (apiKey === authenticateKey) answer(socket, correlationId, bodyOf())
      else answer(socket, correlationId, versionsAnswer)
    }
  }

const passwordRefused = Buffer.from('00003a0001000000000000000000', 'hex')
const refusePassword = authenticating(() => passwordRefused)

/** The broker takes the password for so many milliseconds. */
const acceptedFor = (sessionLifetimeMs: number): Buffer => {
  const body = Buffer.from('0000000001000000000000000000', 'hex')
  body.writeBigInt64BE(BigInt(sessionLifetimeMs), 5)
  return body
}

const ask = (transport: TcpTransport): Promise<unknown> =>
  callApi(
    transport,
    transport.bootstrap[0] as { host: string; port: number },
    'control',
    apiVersionsApi,
    'x',
    '1',
  )

describe('the TCP transport', () => {
  it('carries requests of several lanes to a broker and brings back the answers', async () => {
    const broker = await brokerAt()
    const transport = transportTo(broker.bootstrapServers)
    const address = { host: '127.0.0.1', port: broker.port }
    const [metadata, versions] = await Promise.all([
      callApi(transport, address, 'control', metadataApi, null, false, false),
      callApi(transport, address, 'fetch:1', apiVersionsApi, 'x', '1'),
    ])
    expect(metadata.brokers).toMatchObject([address])
    expect(versions.errorCode).toBe(0)
  })

  it('names the broker that does not answer and the way out', async () => {
    const port = await freePort()
    await expect(ask(transportTo(`127.0.0.1:${port}`))).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
      actor: 'retry',
      message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${port}.*ECONNREFUSED.*start Kafka there`)),
    })
  })

  it('connects again after the broker was away', async () => {
    const port = await freePort()
    const transport = transportTo(`127.0.0.1:${port}`)
    await expect(ask(transport)).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
    const first = await startBroker({ port })
    await ask(transport)
    await first.close()
    await expect(ask(transport)).rejects.toMatchObject({ actor: 'retry' })
    await brokerAt(port)
    expect(await ask(transport)).toMatchObject({ errorCode: 0 })
  })

  it('rejects what is in flight when the connection is lost', async () => {
    const port = await serverOf((socket) => socket.destroy())
    await expect(ask(transportTo(`127.0.0.1:${port}`))).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      actor: 'retry',
    })
  })

  it('gives up on a broker that takes a request and never answers', async () => {
    const port = await serverOf(() => undefined)
    await expect(ask(transportTo(`127.0.0.1:${port}`, { requestTimeoutMs: 50 }))).rejects.toMatchObject({
      code: 'REQUEST_TIMED_OUT',
      actor: 'retry',
    })
  })

  it('leaves a connection on which an answer is missing, and opens another', async () => {
    let connections = 0
    const seen = new WeakSet<Socket>()
    const port = await serverOf((socket, data) => {
      if (!seen.has(socket)) connections++
      seen.add(socket)
      if (connections > 1)
        for (const { correlationId } of requestsIn(data)) answer(socket, correlationId, versionsAnswer)
    })
    const transport = transportTo(`127.0.0.1:${port}`, { requestTimeoutMs: 300 })
    const [first, second] = await Promise.allSettled([ask(transport), ask(transport)])
    expect(first).toMatchObject({ reason: { code: 'REQUEST_TIMED_OUT' } })
    expect(second).toMatchObject({ reason: { code: 'REQUEST_TIMED_OUT' } })
    expect(await ask(transport)).toMatchObject({ errorCode: 0 })
    expect(connections).toBe(2)
  })

  it('leaves a connection whose answer is no response to the request, and tries again on another', async () => {
    const sockets = new Set<Socket>()
    const port = await serverOf((socket, data) => {
      sockets.add(socket)
      const lies = Buffer.from('0000ffffffff0f', 'hex')
      const body = sockets.size === 1 ? lies : versionsAnswer
      for (const { correlationId } of requestsIn(data)) answer(socket, correlationId, body)
    })
    const transport = transportTo(`127.0.0.1:${port}`)
    await expect(ask(transport)).rejects.toMatchObject({
      code: 'RESPONSE_MALFORMED',
      actor: 'retry',
      message: expect.stringContaining(`broker 127.0.0.1:${port} answered ApiVersions (version 3)`),
    })
    expect(await ask(transport)).toMatchObject({ errorCode: 0 })
    expect(sockets.size).toBe(2)
  })

  it.each([
    ['fewer bytes than its header', '00000002ffff'],
    ['more tags in its header than it holds', '0000000900000001ffffffff0f'],
  ])('gives up a connection on which an answer has %s', async (_, hex) => {
    const port = await serverOf((socket) => void socket.write(Buffer.from(hex, 'hex')))
    await expect(
      callApi(
        transportTo(`127.0.0.1:${port}`),
        { host: '127.0.0.1', port },
        'control',
        metadataApi,
        [],
        false,
        false,
      ),
    ).rejects.toMatchObject({ code: 'CONNECTION_LOST', actor: 'retry' })
  })

  it('does not reach a broker at a port that cannot be one', async () => {
    const broker = { host: '127.0.0.1', port: 70_000 }
    await expect(
      callApi(transportTo('127.0.0.1:1'), broker, 'control', apiVersionsApi, 'x', '1'),
    ).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE', actor: 'retry' })
  })

  it('refuses a broker that asks for too many iterations of SCRAM', async () => {
    const port = await serverOf((socket, data) => {
      for (const { apiKey, correlationId } of requestsIn(data)) {
        const nonce = /r=([^,]*)/.exec(data.toString('latin1'))?.[1] ?? ''
        const text = Buffer.from(`r=${nonce}1,s=c2FsdA==,i=2147483647`)
        const head = Buffer.from('00000000', 'hex')
        const first = Buffer.concat([head, Buffer.from([text.length + 1]), text, Buffer.alloc(9)])
        answer(socket, correlationId, apiKey === handshakeKey ? handshakeAnswer : first)
      }
    })
    const sasl = { mechanism: 'SCRAM-SHA-256', username: 'user', password: 'any' } as const
    await expect(ask(transportTo(`127.0.0.1:${port}`, { sasl }))).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      cause: { cause: { message: expect.stringContaining('asks for 2147483647 iterations') } },
    })
  })

  it('tells the answers of several requests apart, whatever pieces they come in', async () => {
    const port = await serverOf((socket, data) => {
      const answers = requestsIn(data).map(({ correlationId }) => {
        const body = Buffer.from(versionsAnswer)
        correlationId.copy(body, throttleAt)
        const size = Buffer.from('0000000c', 'hex')
        return Buffer.concat([size, correlationId, body])
      })
      const all = Buffer.concat(answers)
      const cut = Math.floor(all.length / 2) + 1
      socket.write(all.subarray(0, cut))
      setTimeout(() => socket.write(all.subarray(cut)), 5)
    })
    const transport = transportTo(`127.0.0.1:${port}`)
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(transport)))
    expect(answers.map((each) => (each as { throttleTimeMs: number }).throttleTimeMs)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    )
  })

  it('passes over the tags in the header of an answer', async () => {
    const port = await serverOf((socket, data) => {
      for (const { correlationId } of requestsIn(data))
        answer(socket, correlationId, Buffer.from('010503616263000000000000', 'hex'))
    })
    const transport = transportTo(`127.0.0.1:${port}`)
    const body = await transport.send({ host: '127.0.0.1', port }, 'control', {
      apiKey: 36,
      apiVersion: 2,
      body: Buffer.alloc(0),
      taggedRequestHeader: true,
      taggedResponseHeader: true,
    })
    expect(Buffer.from(body).toString('hex')).toBe('000000000000')
  })

  it.each([
    ['answers what was not asked', Buffer.from('0000000400000063', 'hex'), /request 99/],
    ['is no Kafka', Buffer.from('HTTP/1.1 400 Bad Request'), /no answer of Kafka/],
  ])('ends the connection to a server that %s', async (_, bytes, message) => {
    const port = await serverOf((socket) => socket.write(bytes))
    await expect(ask(transportTo(`127.0.0.1:${port}`))).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringMatching(message),
    })
  })

  it('reaches a name of several addresses, of which one answers', async () => {
    const broker = await brokerAt()
    expect(await ask(transportTo(`localhost:${broker.port}`))).toMatchObject({ errorCode: 0 })
  })

  it('says that a listener speaks TLS when plain text meets it', async () => {
    const alert = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46])
    const port = await serverOf((socket) => socket.write(alert))
    await expect(ask(transportTo(`127.0.0.1:${port}`))).rejects.toMatchObject({
      code: 'TLS_REQUIRED',
      actor: 'author',
    })
  })

  it('says that the credentials were refused', async () => {
    const port = await serverOf(refusePassword)
    const sasl = { mechanism: 'PLAIN', username: 'user', password: 'wrong' } as const
    await expect(
      ask(transportTo(`127.0.0.1:${port}`, { sasl, connectTimeoutMs: 2_000 })),
    ).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      actor: 'author',
    })
  })

  it('says that the credentials were refused where a mechanism makes no sense of an answer', async () => {
    const senseless = Buffer.from('000000000478797a000000000000000000', 'hex')
    const port = await serverOf(authenticating(() => senseless))
    const sasl = { mechanism: 'SCRAM-SHA-256', username: 'user', password: 'any' } as const
    await expect(ask(transportTo(`127.0.0.1:${port}`, { sasl }))).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
    })
  })

  it('gives up on a secret that does not come', async () => {
    const port = await serverOf(authenticating(() => acceptedFor(0)))
    const sasl = { mechanism: 'OAUTHBEARER', token: () => new Promise<string>(() => undefined) } as const
    await expect(
      ask(transportTo(`127.0.0.1:${port}`, { sasl, connectTimeoutMs: 100 })),
    ).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE', message: expect.stringContaining('in time') })
  })

  it('shows its credentials again before its session ends, and sends nothing else in between', async () => {
    const told: number[] = []
    const port = await serverOf(authenticating(() => acceptedFor(100), told))
    let asked = 0
    const sasl = { mechanism: 'PLAIN', username: 'user', password: () => `password ${++asked}` } as const
    const transport = transportTo(`127.0.0.1:${port}`, { sasl })
    while (asked < 4) await ask(transport)
    const dialogues = told.join(' ').match(/17 36/g) ?? []
    expect(dialogues.length).toBeGreaterThanOrEqual(3)
    expect(told.filter((apiKey) => apiKey === handshakeKey).length - dialogues.length).toBeLessThanOrEqual(1)
    expect(told).toContain(versionsKey)
  })

  it('leaves a connection for which no secret comes when its session ends', async () => {
    let asked = 0
    const token = (): string | Promise<string> => (asked++ === 0 ? 'token' : new Promise(() => undefined))
    const port = await serverOf(authenticating(() => acceptedFor(50)))
    const sasl = { mechanism: 'OAUTHBEARER', token } as const
    const transport = transportTo(`127.0.0.1:${port}`, { sasl, connectTimeoutMs: 50 })
    const asking = async (): Promise<never> => {
      for (;;) await ask(transport)
    }
    await expect(asking()).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
  })

  it('ends a connection whose credentials are refused later, and says so', async () => {
    let isFirst = true
    const bodyOf = (): Buffer => {
      const body = isFirst ? acceptedFor(50) : passwordRefused
      isFirst = false
      return body
    }
    const port = await serverOf(authenticating(bodyOf))
    const sasl = { mechanism: 'PLAIN', username: 'user', password: 'expires' } as const
    const transport = transportTo(`127.0.0.1:${port}`, { sasl })
    await ask(transport)
    const asking = async (): Promise<never> => {
      for (;;) await ask(transport)
    }
    await expect(asking()).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' })
  })

  it('tries again when the connection is lost before the credentials were judged', async () => {
    const port = await serverOf((socket) => socket.destroy())
    const sasl = { mechanism: 'PLAIN', username: 'user', password: 'right' } as const
    await expect(
      ask(transportTo(`127.0.0.1:${port}`, { sasl, connectTimeoutMs: 500 })),
    ).rejects.toMatchObject({
      actor: 'retry',
    })
  })

  it('never shows a password, in whatever fault', async () => {
    const password = 'a-very-secret-password'
    const sasl = { mechanism: 'PLAIN', username: 'user', password } as const
    const ports = [
      await serverOf((socket) => socket.destroy()),
      await serverOf((socket) => socket.write(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46]))),
      (await brokerAt()).port,
      await freePort(),
      await serverOf(refusePassword),
    ]
    for (const port of ports) {
      const transport = transportTo(`127.0.0.1:${port}`, {
        sasl,
        connectTimeoutMs: 300,
        requestTimeoutMs: 300,
      })
      const fault: unknown = await ask(transport).then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(fault, `${port}`).toBeInstanceOf(Error)
      expect(inspect(fault, { depth: 20 })).not.toContain(password)
      expect(inspect(transport, { depth: 20 })).not.toContain(password)
    }
  })

  it('sends nothing once it is closed', async () => {
    const broker = await brokerAt()
    const transport = transportTo(broker.bootstrapServers)
    await ask(transport)
    await transport.close()
    await expect(ask(transport)).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' })
  })
})
