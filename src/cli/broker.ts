import { Command } from 'commander'
import { port, wholeNumber } from './options.ts'
import { shutdownSignal } from './shutdown.ts'
import { print } from './terminal.ts'

interface BrokerOptions {
  readonly port: number
  readonly data?: string
  readonly autoCreateTopics?: boolean
  readonly maxBytes?: number
}

/** `millrace broker`: the embedded broker, for development and tests. */
export const brokerCommand = (): Command =>
  new Command('broker')
    .description('run the embedded broker for development and tests, on loopback only')
    .option('--port <port>', 'the port to listen on; 0 takes any free one', port, 9092)
    .option('--data <directory>', 'keep topics and offsets there over restarts; defaults to memory only')
    .option('--auto-create-topics', 'create a topic when it is first asked for')
    .option(
      '--max-bytes <bytes>',
      "the memory that topics may take; defaults to half of the machine's memory",
      wholeNumber(1),
    )
    .action(async (options: BrokerOptions) => {
      const { signal, dispose } = shutdownSignal()
      const { startBroker } = await import('../broker/index.ts')
      const broker = await startBroker({
        port: options.port,
        ...(options.data === undefined ? {} : { dataDirectory: options.data }),
        ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
        ...(options.autoCreateTopics === true ? { settings: { autoCreateTopicsEnable: true } } : {}),
      })
      print(
        `embedded broker on ${broker.bootstrapServers} (${options.data ?? 'in memory'}); for development and tests`,
      )
      await signal
      await broker.close()
      dispose()
    })
