import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Application, TopicClient, Topology } from 'millrace'
import { connect, isFault, standardErrorLogger, start } from 'millrace'
import type { RunningBroker } from 'millrace/broker'
import { startBroker } from 'millrace/broker'
import { choreography, hybrid, orchestration } from './all.ts'
import { listenToOrders } from './hands-on.ts'
import type { Options } from './options.ts'
import { help, readOptions } from './options.ts'
import { heading, legend, printer, summaryTable } from './printing.ts'
import type { Sample } from './sample-orders.ts'
import {
  choreographedOrders,
  deliveries,
  expected,
  handsOnOrders,
  orchestratedOrders,
  sampleTopics,
} from './sample-orders.ts'
import { deadLetterTopic, stockLevel } from './contracts.ts'
import type { CountedFlow, Summary } from './summary.ts'
import { addToSummary, emptySummary, summaryRows } from './summary.ts'
import { storyteller } from './storyteller.ts'
import { topicsOf } from './topics.ts'

/**
 * The order system, from nothing: a broker, its topics, every service, a day of sample orders, and what became of them.
 * `npm start` runs it on the embedded broker; `--brokers host:port` on Apache Kafka.
 */
const timeoutMs = 60_000
/** Records that arrive within a glance are printed order by order. */
const glanceMs = 300

interface Shop {
  readonly brokers: string
  readonly client: TopicClient
  readonly running: Application[]
  readonly stateDirectory: string
  /** Distinguishes this run's groups from those of other runs on the same Kafka. */
  readonly suffix: string
}

const main = async (options: Options): Promise<number> => {
  const gone = readerGone()
  console.log(heading('Millrace: the order system'))
  const broker = options.brokers === undefined ? await startBroker({ port: options.port }) : undefined
  const shop = await openShop(broker, options)
  try {
    return await Promise.race([show(shop, options), gone])
  } finally {
    await closeShop(shop, broker)
  }
}

const show = async (shop: Shop, { keep }: Options): Promise<number> => {
  const complete = await showFlows(shop)
  if (keep) await keepOpen(shop)
  return complete ? 0 : 1
}

/** A reader that closes the pipe (`npm start | head`) has seen enough: the services close, and nothing is an error. */
const readerGone = (): Promise<number> =>
  new Promise((resolve) => {
    for (const stream of [process.stdout, process.stderr])
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') throw error
        resolve(0)
      })
  })

const openShop = async (broker: RunningBroker | undefined, options: Options): Promise<Shop> => {
  const brokers = broker?.bootstrapServers ?? options.brokers ?? ''
  console.log(
    broker === undefined
      ? `on Apache Kafka at ${brokers}`
      : `on the embedded broker at ${brokers}, in memory`,
  )
  const client = connect({ bootstrapServers: brokers, requestTimeoutMs: 10_000 })
  try {
    await client.createTopics(topicsOf([...choreography, ...orchestration, ...hybrid], sampleTopics))
  } catch (error) {
    await client.close()
    throw error
  }
  return {
    brokers,
    client,
    running: [],
    stateDirectory: mkdtempSync(join(tmpdir(), 'millrace-orders-')),
    suffix: broker === undefined ? `-${crypto.randomUUID().slice(0, 8)}` : '',
  }
}

/** The three parts of the show; false where an order's end never came. */
const showFlows = async (shop: Shop): Promise<boolean> => {
  const story = printer((line) => console.log(line))
  let summary: Summary = emptySummary
  let filledShelves = 0
  const exercise = new Promise<void>((resolve) => {
    void run(shop, [
      listenToOrders('created', (line) => {
        console.log(line)
        resolve()
      }),
    ]).then(() => feed(shop, handsOnOrders))
  })
  console.log(heading('The hands-on exercise: react to orders with status created'))
  await exercise

  await run(shop, [
    storyteller((record) => {
      summary = addToSummary(summary, record)
      if (record.topic === stockLevel.name) filledShelves++
      story.listen(record)
    }),
  ])
  const flow = async (
    name: CountedFlow,
    title: string,
    services: readonly Topology[],
    orders: readonly Sample[],
  ) => {
    console.log(heading(title))
    console.log(legend(services.map((service) => service.name)))
    await run(shop, services)
    // Kafka keeps no order between topics: an order sent too early would find an empty shelf.
    const goods = deliveriesFor(name)
    const shelvesToFill = filledShelves + goods.length
    await feed(shop, goods)
    await until(() => filledShelves >= shelvesToFill)
    await feed(shop, orders)
    const complete = await settled(() => rowOf(summary, name), story.flush)
    return complete
  }
  const first = await flow(
    'choreography',
    'Choreography: services react to events, no service is in charge',
    choreography,
    choreographedOrders,
  )
  const second = await flow(
    'orchestration',
    'Orchestration: order-fulfilment commands and waits; notifications, analytics and audit log react beside it',
    [...orchestration, ...hybrid],
    orchestratedOrders,
  )
  console.log(heading('What became of all orders'))
  console.log(summaryTable(summaryRows(summary)))
  return first && second
}

/** The choreographed services are served by the north warehouse, the orchestrated ones by the south. */
const deliveriesFor = (flow: CountedFlow): readonly Sample[] =>
  deliveries.filter(({ value }) => value.includes(flow === 'choreography' ? 'north' : 'south'))

const rowOf = (summary: Summary, flow: CountedFlow): { readonly in: number; readonly addsUp: boolean } =>
  summaryRows(summary).find((row) => row.flow === flow) as { in: number; addsUp: boolean }

/** Waits until every order has come to its end and nothing more is printed; false after a timeout. */
const settled = async (
  row: () => { readonly in: number; readonly addsUp: boolean },
  flush: () => number,
): Promise<boolean> => {
  let quietGlances = 0
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += glanceMs) {
    await sleep(glanceMs)
    const news = flush()
    const { in: came, addsUp } = row()
    quietGlances = news === 0 && addsUp && came === expected.in ? quietGlances + 1 : 0
    if (quietGlances === 2) return true
  }
  return false
}

const until = async (condition: () => boolean): Promise<void> => {
  for (let waitedMs = 0; waitedMs < timeoutMs && !condition(); waitedMs += 20) await sleep(20)
}

const run = async (shop: Shop, topologies: readonly Topology[]): Promise<void> => {
  const started = await Promise.all(
    topologies.map((topology) =>
      start(
        topology,
        {
          bootstrapServers: shop.brokers,
          applicationId: `${topology.name}${shop.suffix}`,
          stateDirectory: shop.stateDirectory,
          // On a Kafka that was used before, yesterday's orders are not printed again.
          autoOffsetReset: shop.suffix === '' ? 'earliest' : 'latest',
          commitIntervalMs: 50,
          deserializationFailure: 'deadLetter',
          processingFailure: 'deadLetter',
          productionFailure: 'deadLetter',
          deadLetterTopic,
        },
        // The sample orders have bad ones among them, whose dead letters are part of the show.
        { logger: standardErrorLogger({ level: 'error' }) },
      ),
    ),
  )
  shop.running.push(...started)
  await Promise.all(started.map((application) => application.waitFor('running')))
}

const feed = async ({ client }: Shop, samples: readonly Sample[]): Promise<void> => {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
  for (const { topic, key, value } of samples)
    await client.writeBytes(topic, [{ key: encode(key), value: encode(value) }])
}

const keepOpen = async ({ brokers }: Shop): Promise<void> => {
  // A process that reads this line may end it at once.
  const ended = new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
  console.log(`\nStill running on ${brokers}; Ctrl-C ends it. Try in another terminal:`)
  console.log(`  npx millrace consume --topic order-status --from-beginning --bootstrap-server ${brokers}`)
  await ended
}

const closeShop = async (shop: Shop, broker: RunningBroker | undefined): Promise<void> => {
  await Promise.all(shop.running.map((application) => application.close()))
  if (broker === undefined) await forgetRun(shop)
  await shop.client.close()
  await broker?.close()
  rmSync(shop.stateDirectory, { recursive: true, force: true })
}

/** What this run alone has made on a Kafka that others use too. */
const forgetRun = async ({ client, running, suffix }: Shop): Promise<void> => {
  await client.deleteTopics(running.flatMap(({ internalTopics }) => internalTopics))
  await Promise.all(running.map(({ topology }) => client.deleteGroup(`${topology.name}${suffix}`)))
}

/** Ends the process: after a closed pipe, the show would go on waiting for orders that no service handles any more. */
const runProgram = async (): Promise<void> => {
  const options = readOptions(process.argv.slice(2))
  if (typeof options === 'string') {
    console.error(`npm start: ${options}`)
    process.exit(2)
  }
  if (options.help) return console.log(help)
  const code = await main(options).catch((error: unknown) => {
    console.error(`npm start: ${isFault(error) ? error.message : String(error)}`)
    return 1
  })
  process.exit(code)
}

await runProgram()
