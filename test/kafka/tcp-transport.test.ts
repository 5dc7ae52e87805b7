import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { apiVersionsApi, callApi, metadataApi } from '../../src/kafka/apis.ts'
import type { KafkaSettings } from '../../src/kafka/kafka-settings.ts'
import { TcpTransport } from '../../src/kafka/tcp-transport.ts'
import { freePort } from '../support/free-port.ts'

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

/** Takes part in the SASL dialogue until the password comes, which it refuses. */
const refusePassword = (socket: Socket, request: Buffer): void => {
  const versionsKey = 18
  const handshakeKey = 17
  const authenticateKey = 36
  const apiKey = request.readInt16BE(4)
  const bodies = new Map([
    [versionsKey, Buffer.alloc(10)],
    [handshakeKey, Buffer.from('0000000000010005504c41494e', 'hex')],
    [authenticateKey, Buffer.from('00003a0001000000000000000000', 'hex')],
  ])
  const body = bodies.get(apiKey)
  if (body === undefined) {
    socket.destroy()
    return
  }
  const header = Buffer.alloc(8)
  header.writeInt32BE(body.length + 4)
  request.copy(header, 4, 8, 12)
  socket.write(Buffer.concat([header, body]))
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
