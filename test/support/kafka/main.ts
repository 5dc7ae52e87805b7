import { parseArgs } from 'node:util'
import { kafkaSource } from './kafka-settings.ts'
import { startKafka } from './start-kafka.ts'

/**
 * A Kafka to work against by hand, as the tests would get it, until SIGINT or SIGTERM:
 *
 *     node test/support/kafka/main.ts --port 19092 --via jars
 */
const { values } = parseArgs({ options: { port: { type: 'string' }, via: { type: 'string' } } })

const via = kafkaSource('--via', values.via)
const kafka = await startKafka({
  tell: (line) => process.stdout.write(`${line}\n`),
  ...(values.port === undefined ? {} : { port: Number(values.port) }),
  ...(via === undefined ? {} : { via }),
})

// With a listener of its own the process is not ended by the signal, so that the broker can be closed first.
const keptAlive = setInterval(() => undefined, 60_000)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    clearInterval(keptAlive)
    void kafka.close().finally(() => process.exit(0))
  })
}
