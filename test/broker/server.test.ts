import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startBroker, type RunningBroker } from '../../src/broker/index.ts'
import { fetchSchema } from '../../src/broker/protocol/apis/fetch.ts'
import { metadataSchema } from '../../src/broker/protocol/apis/metadata.ts'
import { produceSchema } from '../../src/broker/protocol/apis/produce.ts'
import { batchOf } from './support/batch.ts'
import { TcpClient } from './support/tcp-client.ts'
import { encodeRequest } from './support/wire-client.ts'

let broker: RunningBroker
const sockets: Socket[] = []

beforeEach(async () => {
  broker = await startBroker({ topics: [{ name: 'here' }] })
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await broker.close()
})

const open = (): Promise<Socket> =>
  new Promise((resolve) => {
    const socket = connect(broker.port, '127.0.0.1', () => resolve(socket))
    socket.on('error', () => undefined)
    sockets.push(socket)
  })

const framed = (frame: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(frame.length)
  return Buffer.concat([length, frame])
}

const metadataRequest = (correlationId: number): Buffer =>
  framed(encodeRequest(metadataSchema, 9, correlationId, { topics: [] }))

/** The correlation ids of `count` answers, in the order in which they come. */
const answers = (socket: Socket, count: number): Promise<number[]> =>
  new Promise((resolve) => {
    let received: Buffer = Buffer.alloc(0)
    const ids: number[] = []
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        ids.push(received.readInt32BE(4))
        received = received.subarray(4 + received.readInt32BE(0))
      }
      if (ids.length === count) resolve(ids)
    })
  })

const closed = (socket: Socket): Promise<boolean> =>
  new Promise((resolve) => socket.on('close', () => resolve(true)))

it('takes requests in whatever pieces they come', async () => {
  const socket = await open()
  const seen = answers(socket, 3)
  const bytes = Buffer.concat([metadataRequest(1), metadataRequest(2), metadataRequest(3)])
  for (let at = 0; at < bytes.length; at += 5) {
    socket.write(bytes.subarray(at, at + 5))
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await seen).toEqual([1, 2, 3])
})

/** A fetch whose answer takes that long, as there is nothing to fetch. */
const waitingFetch = (correlationId: number, maxWaitMs: number): Buffer =>
  framed(
    encodeRequest(fetchSchema, 11, correlationId, {
      maxWaitMs,
      minBytes: 1,
      isolationLevel: 0,
      topics: [{ topic: 'here', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
    }),
  )

it('answers requests that come at once in their order, the waiting one first', async () => {
  const socket = await open()
  socket.write(Buffer.concat([waitingFetch(7, 50), metadataRequest(8)]))
  expect(await answers(socket, 2)).toEqual([7, 8])
})

it('closes the connection that speaks nonsense, and no other', async () => {
  const good = await TcpClient.open(broker.bootstrapServers)
  const socket = await open()
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  expect(await closed(socket)).toBe(true)
  const { clusterId } = await good.call(metadataSchema, 9, { topics: [] })
  expect(clusterId).toBe(broker.core.broker.clusterId)
  good.close()
})

it('carries batches of megabytes there and back', async () => {
  const client = await TcpClient.open(broker.bootstrapServers)
  const records = batchOf(Array.from({ length: 9 }, () => 'x'.repeat(100_000)))
  await client.call(produceSchema, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: 'here', partitionData: [{ index: 0, records }] }],
  })
  const { responses } = await client.call(fetchSchema, 11, {
    maxWaitMs: 0,
    minBytes: 1,
    isolationLevel: 0,
    topics: [
      { topic: 'here', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 10_000_000 }] },
    ],
  })
  const read = responses[0]?.partitions[0]?.records ?? new Uint8Array()
  expect(Buffer.from(read.subarray(16)).equals(records.subarray(16))).toBe(true)
  client.close()
})

it('names its own address, and lets go of it when it closes', async () => {
  const client = await TcpClient.open(broker.bootstrapServers)
  const { brokers } = await client.call(metadataSchema, 9, { topics: [] })
  expect(brokers).toEqual([{ nodeId: 1, host: '127.0.0.1', port: broker.port, rack: null }])
  const { port } = broker
  await broker.close()
  await expect(client.call(metadataSchema, 9, { topics: [] })).rejects.toThrow('closed')
  broker = await startBroker({ port })
  expect(broker.port).toBe(port)
})

it('reads no more from a client that does not read its answers, and serves the others', async () => {
  for (let index = 0; index < 50; index++) broker.core.broker.createTopic(`topic-${index}`, 20, new Map())
  const all = framed(encodeRequest(metadataSchema, 9, 1, { topics: null }))
  const deaf = await open()
  deaf.pause()
  let handled = 0
  broker.core.onRequest('Metadata', () => {
    handled++
    return undefined
  })
  for (let index = 0; index < 2_000; index++) deaf.write(all)
  const client = await TcpClient.open(broker.bootstrapServers)
  for (let index = 0; index < 20; index++) await client.call(metadataSchema, 9, { topics: [] })
  expect(handled).toBeLessThan(1_000)
  client.close()
})

it('closes a connection that is idle, also in the middle of a request, and none that waits for its answer', async () => {
  await broker.close()
  broker = await startBroker({ topics: [{ name: 'here' }], settings: { connectionsMaxIdleMs: 300 } })
  const [silent, unfinished, waiting] = [await open(), await open(), await open()]
  unfinished.write(metadataRequest(1).subarray(0, 7))
  const seen = answers(waiting, 1)
  waiting.write(waitingFetch(2, 1_000))
  await Promise.all([closed(silent), closed(unfinished)])
  expect(await seen).toEqual([2])
  expect(await closed(waiting)).toBe(true)
})
