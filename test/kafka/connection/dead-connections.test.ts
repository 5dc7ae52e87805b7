import dns from 'node:dns'
import type { LookupAddress, LookupOptions } from 'node:dns'
import { once } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import type { AddressInfo } from 'node:net'
import { createServer, Socket } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../src/base/system-clock.ts'
import { startBroker } from '../../../src/broker/index.ts'
import { apiVersionsApi } from '../../../src/kafka/api-versions-codec.ts'
import { callApi, wireRequestOf } from '../../../src/kafka/apis.ts'
import { BrokerConnection } from '../../../src/kafka/connection/broker-connection.ts'
import { sharedLookup } from '../../../src/kafka/connection/shared-lookup.ts'
import { TcpTransport } from '../../../src/kafka/connection/tcp-transport.ts'
import type { KafkaSettings } from '../../../src/kafka/kafka-settings.ts'
import type { BrokerAddress, Lane } from '../../../src/kafka/transport.ts'
import { FaultProxy } from '../../support/fault-proxy.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

const addressOf = (text: string): BrokerAddress => {
  const [host = '', port] = text.split(':')
  return { host, port: Number(port) }
}

const proxiedBroker = async (): Promise<FaultProxy> => {
  const broker = await startBroker()
  closers.push(() => broker.close())
  const proxy = await FaultProxy.start({ target: broker.bootstrapServers })
  closers.push(() => proxy[Symbol.asyncDispose]())
  return proxy
}

/** A server that accepts connections and answers nothing, except what `onData` does. */
const silentServer = async (
  onData: (socket: Socket, data: Buffer) => void = () => undefined,
): Promise<string> => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (data) => onData(socket, data))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const transportTo = (brokers: string, settings: Partial<KafkaSettings> = {}) => {
  const transport = new TcpTransport({ brokers, clientId: 'test', ...settings })
  closers.push(() => transport.close())
  const ask = (lane: Lane): Promise<unknown> =>
    callApi(transport, addressOf(brokers), lane, apiVersionsApi, 'x', '1')
  return { transport, ask }
}

const timedOut = { code: 'REQUEST_TIMED_OUT', actor: 'retry' }

describe('connections that go silent without an end', () => {
  it('end together when one of them goes unanswered, and new ones take their place', async () => {
    const proxy = await proxiedBroker()
    const { transport, ask } = transportTo(proxy.address, { requestTimeoutMs: 300 })
    const lanes = ['control', 'fetch', 'produce', 'join:group'] as const
    await Promise.all(lanes.map(ask))
    proxy.silenceAll()
    // The join lane alone would wait for the rebalance timeout of five minutes.
    const joining = ask('join:group').catch((error: unknown) => error)
    await expect(ask('control')).rejects.toMatchObject(timedOut)
    expect(await joining).toMatchObject(timedOut)
    await expect.poll(() => transport.lostConnections).toBeGreaterThanOrEqual(lanes.length)
    for (const lane of lanes) expect(await ask(lane)).toMatchObject({ errorCode: 0 })
  })

  it('leave a connection alone on which the broker has answered since', async () => {
    const proxy = await proxiedBroker()
    const { transport, ask } = transportTo(proxy.address, { requestTimeoutMs: 400 })
    await ask('control')
    proxy.silenceAll()
    const unanswered = ask('control').catch((error: unknown) => error)
    await new Promise((resolve) => setTimeout(resolve, 300))
    await ask('fetch')
    expect(await unanswered).toMatchObject(timedOut)
    expect(await ask('fetch')).toMatchObject({ errorCode: 0 })
    expect(transport.lostConnections).toBe(1)
  })

  it('are noticed while a member waits for its group, by a lane beside it', async () => {
    // Answers ApiVersions 0, the probe of a new connection, and nothing else.
    const brokers = await silentServer((socket, data) => {
      if (data.readInt16BE(6) === 0) socket.write(Buffer.from('0000000effffffff0000000000000000ffff', 'hex'))
    })
    const { ask } = transportTo(brokers, { requestTimeoutMs: 150 })
    await expect(ask('join:group')).rejects.toMatchObject(timedOut)
  })

  it('end after the connect timeout where they have never answered', async () => {
    const { ask } = transportTo(await silentServer(), { connectTimeoutMs: 50 })
    await expect(ask('control')).rejects.toMatchObject(timedOut)
    await expect(ask('fetch')).rejects.toMatchObject(timedOut)
  })

  it('end after the connect timeout where nothing has come for ten seconds', async () => {
    const proxy = await proxiedBroker()
    let laterMs = 0
    const connection = await BrokerConnection.open(addressOf(proxy.address), {
      clientId: 'test',
      connectTimeoutMs: 100,
      requestTimeoutMs: 30_000,
      clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + laterMs },
      onGone: () => undefined,
    })
    closers.push(() => connection.close())
    const versions = wireRequestOf(apiVersionsApi, 'x', '1')
    await connection.send(versions)
    laterMs = 10_000
    await connection.send(versions)
    laterMs = 20_000
    proxy.silenceAll()
    await expect(connection.send(versions)).rejects.toMatchObject(timedOut)
  })

  it('are probed by TCP after ten seconds without traffic', async () => {
    const keepAlive = vi.spyOn(Socket.prototype, 'setKeepAlive')
    const { ask } = transportTo((await proxiedBroker()).address)
    await ask('control')
    expect(keepAlive).toHaveBeenCalledWith(true, 10_000)
  })
})

describe('a name server that does not answer', () => {
  const hanging = () => {
    const callbacks: (() => void)[] = []
    const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((
      _host: string,
      _options: LookupOptions,
      callback: (error: null, addresses: LookupAddress[]) => void,
    ) => {
      callbacks.push(() => callback(null, [{ address: '127.0.0.1', family: 4 }]))
    }) as unknown as typeof dns.lookup)
    syncBuiltinESMExports()
    closers.push(() => {
      lookup.mockRestore()
      syncBuiltinESMExports()
    })
    return { lookup, answer: () => callbacks.splice(0).forEach((callback) => callback()) }
  }

  it('ends the attempt to connect after the connect timeout', async () => {
    hanging()
    const { ask } = transportTo('broker.example:9092', { connectTimeoutMs: 50 })
    await expect(ask('control')).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
      message: expect.stringContaining('broker.example:9092'),
    })
  })

  it('is asked once at a time for a host, so that it holds one thread of the pool', () => {
    const { lookup, answer } = hanging()
    const found: unknown[] = []
    const ask = (): void => sharedLookup('broker.example', { all: true }, (_error, at) => void found.push(at))
    for (let times = 0; times < 5; times++) ask()
    expect(lookup).toHaveBeenCalledTimes(1)
    answer()
    expect(found).toHaveLength(5)
    ask()
    expect(lookup).toHaveBeenCalledTimes(2)
  })
})
