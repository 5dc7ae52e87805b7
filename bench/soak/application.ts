import type { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { long, start, topic, topology } from 'millrace'
import { keptFrom } from '../peers/workloads.ts'
import { Order, PricedOrder, price } from '../topologies.ts'
import type { Sample } from './samples.ts'

/**
 * The application of a soak run, in a process of its own: the work of W1 and that of W3 over one input. It tells a
 * sample of itself as a line of JSON at each interval, until SIGTERM.
 */
const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '' },
    orders: { type: 'string', default: '' },
    guarantee: { type: 'string', default: '' },
    'interval-ms': { type: 'string', default: '10000' },
  },
})
const { orders } = values

const soak = topology(`${orders}-soak`, (builder) => {
  const all = builder.stream(topic(orders, { value: Order }))
  all
    .filter(({ value }) => value.amount >= keptFrom)
    .mapValues(price)
    .to(topic(`${orders}-priced`, { value: PricedOrder }))
  all
    .groupByKey()
    .count({ store: 'orders-by-customer' })
    .toStream()
    .to(topic(`${orders}-counts`, { value: long }))
})

const stateDirectory = mkdtempSync(join(tmpdir(), 'millrace-soak-'))
const application = await start(soak, {
  bootstrapServers: values.brokers,
  freezeState: false,
  stateDirectory,
  processingGuarantee: values.guarantee === 'exactly-once' ? 'exactly_once' : 'at_least_once',
})

let nodeWarnings = 0
process.on('warning', (warning) => {
  nodeWarnings++
  console.error(String(warning))
})
const delay = monitorEventLoopDelay()
delay.enable()

const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10

const sample = (): Sample => {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
  const eventLoopDelayP99Ms = Math.round(delay.percentile(99) / 1e5) / 10
  delay.reset()
  return {
    atMs: Date.now(),
    rssMb: megabytes(rss),
    heapUsedMb: megabytes(heapUsed),
    heapTotalMb: megabytes(heapTotal),
    externalMb: megabytes(external),
    resources: countsOf(process.getActiveResourcesInfo()),
    listeners: listenerCount(),
    eventLoopDelayP99Ms,
    processedRecords: application.metrics.processedRecords,
    nodeWarnings,
  }
}

const countsOf = (names: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** Node lists its open handles by a function that its types do not name. */
const listenerCount = (): number => {
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles: () => readonly object[] }
  const emitters = [process, ...handles.call(process)].filter(
    (each): each is EventEmitter => 'eventNames' in each,
  )
  return emitters.reduce(
    (sum, emitter) => emitter.eventNames().reduce((all, name) => all + emitter.listenerCount(name), sum),
    0,
  )
}

const timer = setInterval(
  () => void process.stdout.write(`${JSON.stringify(sample())}\n`),
  Number(values['interval-ms']),
)
const over = Promise.withResolvers<void>()
process.once('SIGTERM', () => over.resolve())
await Promise.race([over.promise, application.waitFor('failed')])
clearInterval(timer)
if (application.state === 'failed') console.error(application.failure)
await application.close()
rmSync(stateDirectory, { recursive: true, force: true })
