import { Command, Option } from 'commander'
import { systemClock } from '../base/system-clock.ts'
import type { SettingsInput } from '../app/settings.ts'
import type { Application } from '../app/start.ts'
import type { Topology } from '../topology/topology.ts'
import { commandConfigOption, readCommandConfig } from './command-config.ts'
import { loadTopologies } from './load-topologies.ts'
import { bootstrapServerOption, pair, wholeNumber } from './options.ts'
import { restoreReport } from './restore-report.ts'
import { shutdownSignal } from './shutdown.ts'

interface RunOptions {
  readonly bootstrapServer: string
  readonly commandConfig?: string
  readonly applicationId?: string
  readonly stateDirectory?: string
  readonly commitIntervalMs?: number
  readonly deadLetterTopic?: string
  readonly setting: Readonly<Record<string, string>>
}

/** `millrace run FILE…`: runs topologies until SIGINT or SIGTERM, then closes cleanly. */
export const runTopologiesCommand = (): Command =>
  new Command('run')
    .description('run topologies against a broker until SIGINT or SIGTERM')
    .argument('<file...>', 'files that export topologies')
    .option(
      '--application-id <id>',
      "the group and the prefix of internal topics; the topology's name unless given",
    )
    .option('--state-directory <directory>', 'where durable stores lie')
    .option('--commit-interval-ms <ms>', 'the longest time between two commits under load', wholeNumber(1))
    .addOption(
      new Option('--dead-letter-topic <name>', 'keep records that fail there and go on, instead of stopping'),
    )
    .option(
      '--setting <name=value>',
      'any setting of an application, such as processingGuarantee=exactly_once; may be given several times',
      pair,
      {},
    )
    .addOption(bootstrapServerOption())
    .addOption(commandConfigOption())
    .action(async (files: readonly string[], options: RunOptions) => {
      const topologies = await loadTopologies(files)
      const { signal, dispose } = shutdownSignal()
      const applications = await startAll(topologies, options)
      try {
        await Promise.race([signal, ...applications.map(failureOf)])
      } finally {
        await Promise.all(applications.map((application) => application.close()))
        dispose()
      }
    })

const startAll = async (
  topologies: readonly Topology[],
  options: RunOptions,
): Promise<readonly Application[]> => {
  const started = await Promise.allSettled(
    topologies.map((topology) => startOne(topology, options, topologies.length)),
  )
  const applications = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const failed = started.find((each) => each.status === 'rejected')
  if (failed === undefined) return applications
  await Promise.all(applications.map((application) => application.close()))
  throw failed.reason
}

const startOne = async (topology: Topology, options: RunOptions, count: number): Promise<Application> => {
  const { start } = await import('../app/start.ts')
  const application = await start(topology, settingsOf(topology, options, count), {
    onWarning: (message) => console.error(`${topology.name}: ${message}`),
    onState: (state) => console.error(`${topology.name}: ${state}`),
    onRestore: restoreReport(systemClock, (line) => console.error(`${topology.name}: ${line}`)),
  })
  return application
}

/** Two topologies can't share one application id: each is a group of its own. */
const settingsOf = (topology: Topology, options: RunOptions, count: number): SettingsInput => {
  const { applicationId, deadLetterTopic } = options
  return {
    bootstrapServers: options.bootstrapServer,
    ...readCommandConfig(options.commandConfig),
    applicationId:
      applicationId === undefined
        ? topology.name
        : count === 1
          ? applicationId
          : `${applicationId}-${topology.name}`,
    ...(options.stateDirectory === undefined ? {} : { stateDirectory: options.stateDirectory }),
    ...(options.commitIntervalMs === undefined ? {} : { commitIntervalMs: options.commitIntervalMs }),
    ...(deadLetterTopic === undefined
      ? {}
      : {
          deadLetterTopic,
          deserializationFailure: 'deadLetter',
          processingFailure: 'deadLetter',
          productionFailure: 'deadLetter',
        }),
    ...(Object.fromEntries(
      Object.entries(options.setting).map(([name, text]) => [name, valueOf(text)]),
    ) as Partial<SettingsInput>),
  }
}

/** Numbers and booleans as such; everything else is text. */
const valueOf = (text: string): string | number | boolean =>
  text === 'true' || text === 'false' ? text === 'true' : /^-?\d+$/.test(text) ? Number(text) : text

const failureOf = async (application: Application): Promise<never> => {
  await application.waitFor('failed')
  throw application.failure
}
