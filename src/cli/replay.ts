import { Command } from 'commander'
import type { ReplayProgress } from '../app/replay.ts'
import { Fault } from '../base/fault.ts'
import { systemClock } from '../base/system-clock.ts'
import { commandConfigOption, readCommandConfig } from './command-config.ts'
import { loadTopologies } from './load-topologies.ts'
import { bootstrapServerOption } from './options.ts'
import { shutdownSignal } from './shutdown.ts'
import { print } from './terminal.ts'

interface ReplayCommandOptions {
  readonly bootstrapServer: string
  readonly commandConfig?: string
  readonly fromBeginning?: boolean
  readonly replayId?: string
  readonly liveOutputs?: boolean
  readonly keepInternals?: boolean
  readonly stateDirectory?: string
}

/** `millrace replay FILE --from-beginning`: runs a topology again over its whole input, beside the live application. */
export const replayCommand = (): Command =>
  new Command('replay')
    .description(
      'run a topology again over its whole input, under a group of its own, and end when it has caught up',
    )
    .argument('<file>', 'a file that exports a topology')
    .option('--from-beginning', 'replay from the oldest record on')
    .option(
      '--replay-id <id>',
      'the group and the prefix of what the replay writes; defaults to a name made from the time',
    )
    .option(
      '--live-outputs',
      "write to the topology's own output topics instead of copies `<replay-id>-<topic>`",
    )
    .option('--keep-internals', "leave the replay's internal topics, its group and its state where they are")
    .option('--state-directory <directory>', 'where durable stores of the replay lie')
    .addOption(bootstrapServerOption())
    .addOption(commandConfigOption())
    .action(async (file: string, options: ReplayCommandOptions) => {
      if (options.fromBeginning !== true) throw needsBeginning()
      const { replay } = await import('../app/replay.ts')
      for (const topology of await loadTopologies([file])) {
        const replayId = options.replayId ?? `${topology.name}-replay-${systemClock.now()}`
        const { signal, dispose } = shutdownSignal()
        const stop = new AbortController()
        void signal.then(() => stop.abort())
        const result = await replay(
          topology,
          {
            bootstrapServers: options.bootstrapServer,
            ...readCommandConfig(options.commandConfig),
            ...(options.stateDirectory === undefined ? {} : { stateDirectory: options.stateDirectory }),
          },
          {
            replayId,
            signal: stop.signal,
            ...(options.liveOutputs === true ? { liveOutputs: true } : {}),
            ...(options.keepInternals === true ? { keepInternals: true } : {}),
            onProgress: progressLine(topology.name),
          },
        )
        dispose()
        const state = result.complete ? 'replayed' : 'stopped after'
        print(`${topology.name}: ${state} ${result.processedRecords} records as ${replayId}`)
        for (const { topic, records } of result.outputs) print(`  ${topic}: ${records} records`)
        if (!result.complete) process.exitCode = 1
      }
    })

/** A line a second while it goes on. */
const progressLine = (name: string): ((progress: ReplayProgress) => void) => {
  let lastMs = systemClock.monotonicMs()
  return ({ processedRecords, remainingRecords }) => {
    if (systemClock.monotonicMs() - lastMs < 1_000) return
    lastMs = systemClock.monotonicMs()
    console.error(`${name}: ${processedRecords} records processed, ${remainingRecords} to go`)
  }
}

const needsBeginning = (): Fault =>
  new Fault({
    code: 'USAGE',
    actor: 'author',
    message: 'replay needs --from-beginning: there is no other start yet',
  })
