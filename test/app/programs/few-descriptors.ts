import { readdirSync } from 'node:fs'
import { startBroker } from '../../../src/broker/index.ts'
import { standardErrorLogger, start, string, topic, topology } from '../../../src/index.ts'
import { TopicClient } from '../../support/topic-client.ts'

/**
 * Counts in a topic of many partitions, under whatever limit of open files this process was started with: prints what
 * became of it, and the folders that were set aside as damaged.
 */
const [folder = '', partitions = ''] = process.argv.slice(2)
const input = topic('input', { key: string, value: string, partitions: Number(partitions) })
const program = topology('crowded', (builder) => {
  builder.stream(input).groupByKey().count({ store: 'counts' })
})

const broker = await startBroker()
const client = new TopicClient(broker.bootstrapServers)
await client.create(input)
const lines: string[] = []
const application = await start(
  program,
  { bootstrapServers: broker.bootstrapServers, stateDirectory: folder },
  { logger: standardErrorLogger({ write: (line) => void lines.push(line) }) },
)
const failed = application.done.then(
  () => 'closed',
  (error: { readonly code: string; readonly message: string }) => `failed ${error.code}: ${error.message}`,
)
const opened = async (): Promise<string> => {
  while (application.tasks.length < Number(partitions))
    await new Promise((resolve) => setTimeout(resolve, 20))
  return `running ${application.tasks.length} tasks`
}
const became = await Promise.race([failed, opened()])
console.log(became)
await application.close().catch(() => undefined)
await client[Symbol.asyncDispose]()
await broker.close()
const damaged = readdirSync(folder, { recursive: true }).filter((name) => String(name).includes('damaged'))
console.log(`damaged: ${damaged.length + lines.filter((line) => line.includes('damaged')).length}`)
process.exit()
