import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, afterEach, expect, it } from 'vitest'
import { FaultProxy } from './fault-proxy.ts'

let echo: Server
let proxy: FaultProxy
const clients: Socket[] = []

beforeAll(async () => {
  echo = createServer((socket) => void socket.on('error', () => undefined).pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
})
afterAll(() => void echo.close())

beforeEach(async () => {
  proxy = await FaultProxy.start({ target: `127.0.0.1:${(echo.address() as AddressInfo).port}` })
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await proxy[Symbol.asyncDispose]()
})

const connected = async (): Promise<Socket> => {
  const [host = '', port] = proxy.address.split(':')
  const client = connect({ host, port: Number(port) })
  clients.push(client)
  client.on('error', () => undefined)
  await once(client, 'connect')
  return client
}

/** Resolves with the echo, or with undefined where none comes in time. */
const echoOf = async (client: Socket, text: string, timeoutMs = 2_000): Promise<string | undefined> => {
  client.write(text)
  const signal = AbortSignal.timeout(timeoutMs)
  return once(client, 'data', { signal }).then(
    ([data]) => String(data),
    () => undefined,
  )
}

const closed = (client: Socket): Promise<void> =>
  new Promise((resolve) => client.once('close', () => resolve()))

it('passes bytes both ways, and the end of a connection', async () => {
  const client = await connected()
  expect(await echoOf(client, 'hello')).toBe('hello')
  client.end()
  await once(client, 'close')
  await expect.poll(() => proxy.connections).toBe(0)
})

it('adds latency to each way', async () => {
  proxy.network = { latencyMs: 100 }
  const client = await connected()
  const startedMs = performance.now()
  expect(await echoOf(client, 'late')).toBe('late')
  expect(performance.now() - startedMs).toBeGreaterThan(190)
})

it('limits the bandwidth', async () => {
  proxy.network = { bytesPerSecond: 10_000 }
  const client = await connected()
  const startedMs = performance.now()
  expect(await echoOf(client, 'x'.repeat(1_000))).toHaveLength(1_000)
  expect(performance.now() - startedMs).toBeGreaterThan(190)
})

it('resets every connection, or some at random', async () => {
  const client = await connected()
  await echoOf(client, 'hello')
  proxy.resetAll()
  await closed(client)
  proxy.network = { resetProbability: 1 }
  const next = await connected()
  next.write('hello')
  await closed(next)
})

it('leaves connections half-open while new ones work', async () => {
  const client = await connected()
  await echoOf(client, 'hello')
  proxy.silenceAll()
  expect(await echoOf(client, 'lost', 100)).toBeUndefined()
  expect(await echoOf(await connected(), 'new')).toBe('new')
})

it('delivers after a hole what was sent into it', async () => {
  const client = await connected()
  await echoOf(client, 'hello')
  proxy.openHole()
  expect(await echoOf(client, 'late', 100)).toBeUndefined()
  proxy.closeHole()
  expect(String((await once(client, 'data'))[0])).toBe('late')
})
