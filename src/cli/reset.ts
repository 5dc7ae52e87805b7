import { Command } from 'commander'
import type { ResetOptions, ResetResult } from '../app/reset.ts'
import { commandConfigOption, readCommandConfig } from './command-config.ts'
import { loadTopologies } from './load-topologies.ts'
import { bootstrapServerOption, datetime, duration, names, wholeNumber } from './options.ts'
import { usage } from './usage.ts'
import { print } from './terminal.ts'

interface ResetCommandOptions {
  readonly applicationId?: string
  readonly bootstrapServer: string
  readonly commandConfig?: string
  readonly inputTopics?: readonly string[]
  readonly internalTopics?: readonly string[]
  readonly toEarliest?: boolean
  readonly toLatest?: boolean
  readonly toDatetime?: number
  readonly toOffset?: number
  readonly byDuration?: number
  readonly stateDirectory?: string
  readonly execute?: boolean
  readonly dryRun?: boolean
}

/** `millrace reset`, as Kafka's `kafka-streams-application-reset`; it only prints what it would do unless `--execute`. */
export const resetCommand = (): Command =>
  new Command('reset')
    .description('reset a stopped application: move its offsets, delete its internal topics and its state')
    .argument('[file...]', 'files that export topologies; or name the application with --application-id')
    .option('--application-id <id>', "the application; defaults to the topology's name")
    .option('--input-topics <names>', 'only these input topics, separated by commas', names)
    .option('--internal-topics <names>', 'delete only these internal topics, separated by commas', names)
    .option('--to-earliest', 'read the inputs from their oldest records on (this is the default)')
    .option('--to-latest', 'read the inputs from their ends on')
    .option(
      '--to-datetime <time>',
      'read from a time on: YYYY-MM-DDTHH:mm:SS.sss, UTC unless it says',
      datetime,
    )
    .option('--to-offset <offset>', 'read from an offset on', wholeNumber(0))
    .option('--by-duration <duration>', 'read from so long ago on: PnDTnHnMnS, as in PT1H', duration)
    .option('--state-directory <directory>', 'where the durable stores lie')
    .option('--execute', 'do it; without this the command only prints what it would do')
    .option('--dry-run', 'only print what it would do (this is the default)')
    .addOption(bootstrapServerOption())
    .addOption(commandConfigOption())
    .action(async (files: readonly string[], options: ResetCommandOptions) => {
      const how = resetOptionsOf(options)
      const { reset, resetGroup } = await import('../app/reset.ts')
      const settings = {
        bootstrapServers: options.bootstrapServer,
        ...readCommandConfig(options.commandConfig),
        requestTimeoutMs: brokerTimeoutMs,
        ...(options.applicationId === undefined ? {} : { applicationId: options.applicationId }),
        ...(options.stateDirectory === undefined ? {} : { stateDirectory: options.stateDirectory }),
      }
      const topologies = files.length === 0 ? [] : await loadTopologies(files)
      if (topologies.length > 1 && options.applicationId !== undefined)
        throw usage('--application-id names one application, but there are several topologies')
      for (const topology of topologies) report(await reset(topology, settings, how))
      if (topologies.length > 0) return
      if (options.applicationId === undefined) throw usage('reset needs a file or --application-id')
      report(await resetGroup(options.applicationId, settings, how))
    })

/** How long the command tries to reach its broker. */
const brokerTimeoutMs = 5_000

const resetOptionsOf = (options: ResetCommandOptions): ResetOptions => {
  if (options.execute === true && options.dryRun === true) throw usage('say --execute or --dry-run, not both')
  const targets = [
    ...(options.toEarliest === true ? ['earliest' as const] : []),
    ...(options.toLatest === true ? ['latest' as const] : []),
    ...(options.toDatetime === undefined ? [] : [{ datetimeMs: options.toDatetime }]),
    ...(options.toOffset === undefined ? [] : [{ offset: options.toOffset }]),
    ...(options.byDuration === undefined ? [] : [{ durationMs: options.byDuration }]),
  ]
  const [to = 'earliest' as const] = targets
  if (targets.length > 1)
    throw usage('say one of --to-earliest, --to-latest, --to-datetime, --to-offset, --by-duration')
  return {
    to,
    ...(options.execute === true ? { execute: true } : {}),
    ...(options.inputTopics === undefined ? {} : { inputTopics: options.inputTopics }),
    ...(options.internalTopics === undefined ? {} : { internalTopics: options.internalTopics }),
  }
}

const report = ({
  applicationId,
  offsets,
  deletedTopics,
  deletedStateDirectory,
  executed,
}: ResetResult): void => {
  const say = (done: string, planned: string, what: string): void =>
    print(`${applicationId}: ${executed ? done : `would ${planned}`} ${what}`)
  for (const { topic, partition, from, to } of offsets)
    say('moved', 'move', `${topic}-${partition} from ${from === undefined ? 'no offset' : from} to ${to}`)
  for (const topic of deletedTopics) say('deleted', 'delete', `topic ${topic}`)
  if (deletedStateDirectory !== undefined)
    say('deleted', 'delete', `state directory ${deletedStateDirectory}`)
  const nothing = offsets.length === 0 && deletedTopics.length === 0 && deletedStateDirectory === undefined
  if (nothing) print(`${applicationId}: there is nothing to reset`)
  else if (!executed) print(`${applicationId}: nothing has been done; add --execute to do it`)
}
