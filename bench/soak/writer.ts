import { parseArgs } from 'node:util'
import { systemClock } from '../../src/base/system-clock.ts'
import { Cluster } from '../../src/kafka/cluster.ts'
import { Producer } from '../../src/kafka/producer.ts'
import { TcpTransport } from '../../src/kafka/connection/tcp-transport.ts'
import { customers } from '../peers/workloads.ts'
import { order } from '../topics.ts'

/**
 * Writes orders at a rate, or as fast as they are worked off for `--rate 0`: lines of standard input say up to which
 * number. It tells ten times a second how many it has written.
 */
const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '' },
    orders: { type: 'string', default: '' },
    rate: { type: 'string', default: '0' },
  },
})
const rate = Number(values.rate)
const tickMs = 10
const tellMs = 100

const transport = new TcpTransport({ brokers: values.brokers, clientId: 'soak-writer' })
const producer = new Producer({ cluster: new Cluster({ transport, clock: systemClock }), lingerMs: 5 })
await producer.prepare([values.orders])

const messages = Array.from({ length: customers }, (_, index) => {
  const { key, value } = order(index)
  return { key: Buffer.from(String(key)), value: Buffer.from(String(value)) }
})

let written = 0
let limit = rate === 0 ? 0 : Infinity
let isOver = false
process.stdin.on('data', (data) => {
  limit = Number(String(data).trim().split('\n').at(-1))
})
process.once('SIGTERM', () => (isOver = true))

const write = async (count: number): Promise<void> => {
  for (let left = count; left > 0; left--) {
    const { key, value } = messages[written % messages.length] as (typeof messages)[number]
    producer.send(values.orders, undefined, key, value, Date.now())
    written++
    if (producer.isFull) await producer.drained()
  }
}

const begunMs = performance.now()
let toldMs = begunMs
while (!isOver) {
  const nowMs = performance.now()
  // What a moment of a busy machine has held up is made up for, up to a second of it.
  const due =
    rate === 0
      ? Math.min(1_000, limit - written)
      : Math.min(rate, ((nowMs - begunMs) / 1_000) * rate - written)
  if (due > 0) await write(Math.ceil(due))
  if (nowMs - toldMs >= tellMs) {
    toldMs = nowMs
    process.stdout.write(`${JSON.stringify({ written })}\n`)
  }
  await new Promise((resolve) => setTimeout(resolve, due === 1_000 ? 0 : tickMs))
}
process.stdin.destroy()
await producer.flush()
process.stdout.write(`${JSON.stringify({ written })}\n`)
producer.close()
await transport.close()
