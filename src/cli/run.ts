import { Command, InvalidArgumentError, Option } from 'commander'
import { sleep } from '../base/clock.ts'
import { systemClock } from '../base/system-clock.ts'
import type { SettingsInput } from '../app/settings.ts'
import type { ThreadedApplication } from '../app/start-threads.ts'
import type { StartOptions } from '../app/start-options.ts'
import { failureHandlerOfModule } from '../app/topology-module.ts'
import { Fault } from '../base/fault.ts'
import type { Topology } from '../topology/topology.ts'
import { commandConfigOption, ofQueries, readCommandConfig } from './command-config.ts'
import type { LoadedTopology } from './load-topologies.ts'
import { loadTopologyModules } from './load-topologies.ts'
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
  readonly applicationServer?: string
  readonly queryListen?: string
  readonly healthListen?: string
  readonly threads: number
  readonly shutdownTimeoutMs: number
  readonly setting: Readonly<Record<string, string>>
}

/** `millrace run FILE…`: runs topologies until SIGINT or SIGTERM, then closes cleanly. */
export const runTopologiesCommand = (): Command =>
  new Command('run')
    .description('run topologies against a broker until SIGINT or SIGTERM')
    .argument('<file...>', 'files that export topologies, and may export onFailedRecord')
    .option(
      '--application-id <id>',
      "the group and the prefix of internal topics; defaults to the topology's name",
    )
    .option('--state-directory <directory>', 'where durable stores lie')
    .option('--commit-interval-ms <ms>', 'the longest time between two commits under load', wholeNumber(1))
    .addOption(
      new Option('--dead-letter-topic <name>', 'keep records that fail there and go on, instead of stopping'),
    )
    .option('--application-server <host:port>', 'where others reach the queries of this process; serves them')
    .option(
      '--query-listen <host:port>',
      'where queries are served; defaults to loopback with the port of --application-server',
    )
    .option('--health-listen <host:port>', 'where health and metrics alone are served, as for probes')
    .option('--threads <count>', 'how many worker threads run each topology', wholeNumber(1), 1)
    .option(
      '--shutdown-timeout-ms <ms>',
      'how long to finish what is in hand at SIGINT or SIGTERM before it is cut off',
      wholeNumber(0),
      30_000,
    )
    .option(
      '--setting <name=value>',
      'any setting of an application, such as processingGuarantee=exactly_once; may be given several times',
      setting,
      {},
    )
    .addOption(bootstrapServerOption())
    .addOption(commandConfigOption())
    .action(async (files: readonly string[], options: RunOptions) => {
      const topologies = await loadTopologyModules(files)
      if (topologies.length > 1 && opensPort(options)) throw oneServerEach()
      const { signal, dispose } = shutdownSignal()
      const starts = topologies.map((loaded) => startOne(loaded, options, topologies.length))
      try {
        const applications = await Promise.race([startedAll(starts, options), signal.then(() => undefined)])
        if (applications === undefined) await endStarting(starts, options)
        else await runUntil(signal, applications, options)
      } finally {
        dispose()
      }
    })

/** Settings that have a flag of their own, or a place in the file of `--command-config`, come only that way. */
const setting = (
  text: string,
  gathered: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> => {
  const settings = pair(text, gathered)
  for (const name of Object.keys(settings)) {
    const flag = flagsOfSettings[name]
    if (flag !== undefined) throw new InvalidArgumentError(`${name} is given with ${flag}.`)
    if (/^(tls|sasl|queryTls)(\.|$)/.test(name))
      throw new InvalidArgumentError(`${name} belongs in the file of --command-config.`)
  }
  return settings
}

const flagsOfSettings: Readonly<Record<string, string>> = {
  bootstrapServers: '--bootstrap-server',
  applicationId: '--application-id',
  stateDirectory: '--state-directory',
}

/** Runs until the signal, or until one of them fails; all are closed then, within the time there is. */
const runUntil = async (
  signal: Promise<void>,
  applications: readonly ThreadedApplication[],
  { shutdownTimeoutMs }: RunOptions,
): Promise<void> => {
  const closeAll = (): Promise<unknown> =>
    Promise.all(applications.map((application) => application.close({ timeoutMs: shutdownTimeoutMs })))
  try {
    await Promise.race([signal, ...applications.map(failureOf)])
  } catch (failure) {
    // The first failure is reported.
    await closeAll().catch(() => undefined)
    throw failure
  }
  await closeAll()
}

/** Where one does not start, the others are closed. */
const startedAll = async (
  starts: readonly Promise<ThreadedApplication>[],
  { shutdownTimeoutMs }: RunOptions,
): Promise<readonly ThreadedApplication[]> => {
  const settled = await Promise.allSettled(starts)
  const applications = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const failed = settled.find((each) => each.status === 'rejected')
  if (failed === undefined) return applications
  await Promise.allSettled(
    applications.map((application) => application.close({ timeoutMs: shutdownTimeoutMs })),
  )
  throw failed.reason
}

/**
 * The signal came before all had started: those that have are closed as ever. A start has nothing in hand that could be
 * lost, so the process ends without the others, unless they are about to be done.
 */
const endStarting = async (
  starts: readonly Promise<ThreadedApplication>[],
  { shutdownTimeoutMs }: RunOptions,
): Promise<void> => {
  const cutOff = sleep(systemClock, Math.min(startGraceMs, shutdownTimeoutMs)).then(() => undefined)
  const closed = await Promise.allSettled(
    starts.map(async (start) => {
      const application = await Promise.race([start, cutOff])
      await application?.close({ timeoutMs: shutdownTimeoutMs })
      return application
    }),
  )
  const failed = closed.find((each) => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  if (closed.every((each) => each.status === 'fulfilled' && each.value !== undefined)) return
  console.error('millrace: stopped while the application was starting')
}

/** How long a start may go on after the signal. */
const startGraceMs = 2_000

const startOne = async (
  { topology, module }: LoadedTopology,
  options: RunOptions,
  count: number,
): Promise<ThreadedApplication> => {
  const settings = settingsOf(topology, options, count)
  const listener: StartOptions = {
    onState: (state) => console.error(`${topology.name}: ${state}`),
    onRestore: restoreReport(systemClock, (line) => console.error(`${topology.name}: ${line}`)),
  }
  const application = await startIn(options.threads, { topology, module }, settings, listener)
  // A failure is the last line of the command; with this handler the application does not log it too.
  application.done.catch(() => undefined)
  const { address, healthAddress } = application.queries
  if (address !== undefined) console.error(`${topology.name}: serves queries on ${address}`)
  if (healthAddress !== undefined) console.error(`${topology.name}: serves health on ${healthAddress}`)
  return application
}

const startIn = async (
  threads: number,
  { topology, module }: LoadedTopology,
  settings: SettingsInput,
  listener: StartOptions,
): Promise<ThreadedApplication> => {
  if (threads === 1) {
    const { start } = await import('../app/start.ts')
    return start(topology, settings, { ...listener, onFailedRecord: await failureHandlerOfModule(module) })
  }
  const { startThreads } = await import('../app/start-threads.ts')
  return startThreads({ module, topology: topology.name }, settings, { ...listener, threads })
}

const opensPort = (options: RunOptions): boolean =>
  (['applicationServer', 'queryListen', 'healthListen'] as const).some(
    (name) => options[name] !== undefined || name in options.setting,
  )

const oneServerEach = (): Fault =>
  new Fault({
    code: 'USAGE',
    actor: 'author',
    message: "several topologies can't serve queries on one port",
    remedy: 'run each by itself, or without --application-server, --query-listen and --health-listen',
  })

/** Two topologies can't share one application id: each is a group of its own. */
const settingsOf = (topology: Topology, options: RunOptions, count: number): SettingsInput => {
  const { applicationId, deadLetterTopic } = options
  return {
    bootstrapServers: options.bootstrapServer,
    ...readCommandConfig(options.commandConfig, ofQueries),
    applicationId:
      applicationId === undefined
        ? topology.name
        : count === 1
          ? applicationId
          : `${applicationId}-${topology.name}`,
    ...(options.stateDirectory === undefined ? {} : { stateDirectory: options.stateDirectory }),
    ...(options.applicationServer === undefined ? {} : { applicationServer: options.applicationServer }),
    ...(options.queryListen === undefined ? {} : { queryListen: options.queryListen }),
    ...(options.healthListen === undefined ? {} : { healthListen: options.healthListen }),
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

const failureOf = async (application: ThreadedApplication): Promise<never> => {
  await application.waitFor('failed')
  throw application.failure
}
