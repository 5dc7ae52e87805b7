import { monitorEventLoopDelay } from 'node:perf_hooks'
import { bytes, nullable, start, topic, topology } from 'millrace'

/** An application that counts the records of a topic under default settings, in a process of its own: its memory counts. */
const [brokers = '', input = '', expected = '', stateDirectory = ''] = process.argv.slice(2)

let count = 0
const counted = Promise.withResolvers<void>()
const counter = topology(`${input}-counter`, (builder) => {
  builder.stream(topic(input, { key: nullable(bytes), value: bytes })).forEach(() => {
    if (++count === Number(expected)) counted.resolve()
  })
})

const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
const application = await start(counter, { bootstrapServers: brokers, stateDirectory })
await counted.promise
await application.close()
process.stdout.write(
  `${JSON.stringify({
    records: count,
    rssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    worstBlockMs: Math.round(delay.max / 1e6),
  })}\n`,
)
process.exit(0)
