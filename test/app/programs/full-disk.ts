import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startBroker } from '../../../src/broker/index.ts'
import { start, string, topic, topology } from '../../../src/index.ts'
import type { Application } from '../../../src/index.ts'
import { TopicClient } from '../../support/topic-client.ts'

/** Fills the disk of its argument while an application runs, frees it again, and prints what became of the application. */
const disk = process.argv[2] as string
const filler = join(disk, 'filler')
const words = topic('words', { value: string })
const program = topology('full', (builder) => void builder.table(words, { store: 'words' }))

const broker = await startBroker()
const client = new TopicClient(broker.bootstrapServers)
await client.create(words)

const run = async (): Promise<Application> => {
  const application = await start(
    program,
    { bootstrapServers: broker.bootstrapServers, stateDirectory: disk },
    { logger: false },
  )
  await application.waitFor('running')
  return application
}
const rowsIn = (application: Application): number =>
  [...(application.store('words', 0) as unknown as { all(): Iterable<unknown> }).all()].length
const write = (from: number, to: number): Promise<void> =>
  client.write(
    words,
    Array.from({ length: to - from }, (_, index) => ({ key: `k${from + index}`, value: 'v'.repeat(500) })),
  )
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10))
}

const first = await run()
const failure = first.done.then(
  () => 'closed',
  (error: unknown) => String(error),
)
await write(0, 10)
await until(() => rowsIn(first) === 10)
const { bavail, bsize } = statfsSync(disk)
writeFileSync(filler, new Uint8Array(bavail * bsize))
let rows = 10
// Committed rows are written to disk about once a second.
while (first.state === 'running') {
  await write(rows, rows + 50)
  rows += 50
  await new Promise((resolve) => setTimeout(resolve, 50))
}
console.log(`failed: ${await failure}`)
await first.close()
rmSync(filler)
const second = await run()
await until(() => rowsIn(second) === rows)
console.log(`then ${second.state} with all rows`)
await second.close()
await client[Symbol.asyncDispose]()
await broker.close()
