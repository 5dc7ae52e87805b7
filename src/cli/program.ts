import { Command, CommanderError } from 'commander'
import { isFault, messageOf } from '../base/fault.ts'
import { printableLine } from '../base/printable.ts'
import { brokerCommand } from './broker.ts'
import { checkFlags } from './check-flags.ts'
import { checkCommand } from './check.ts'
import { consumeCommand } from './consume.ts'
import { describeCommand } from './describe.ts'
import { diffCommand } from './diff.ts'
import { groupsCommand } from './groups.ts'
import { produceCommand } from './produce.ts'
import { queryCommand } from './query.ts'
import { replayCommand } from './replay.ts'
import { resetCommand } from './reset.ts'
import { runTopologiesCommand } from './run.ts'
import { topicsCommand } from './topics.ts'

/**
 * The command line: Kafka's own tools under one name, with Kafka's own flags, and what Millrace adds to them. An error
 * is one line on standard error and an exit code that is not 0: 1 where the work failed, 2 where the call was wrong.
 */
export const runCommand = async (args: readonly string[]): Promise<number> => {
  const program = programOf()
  try {
    const command = program.commands.find((each) => each.name() === args[0])
    if (command !== undefined) checkFlags(command, args.slice(1))
    await program.parseAsync(args, { from: 'user' })
    return process.exitCode === undefined ? 0 : Number(process.exitCode)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageError
    process.stderr.write(`millrace: ${oneLine(messageOf(error))}\n`)
    return isFault(error) && wrongCalls.has(error.code) ? usageError : 1
  }
}

const usageError = 2

/** Faults of the call, not of the work. */
const wrongCalls: ReadonlySet<string> = new Set([
  'USAGE',
  'SETTINGS_INVALID',
  'APPLICATION_UNKNOWN',
  'REPLAY_ID_INVALID',
  'BROKERS_INVALID',
])

const programOf = (): Command => {
  const program = new Command('millrace')
    .description('Kafka Streams for TypeScript, with sagas: topics, topologies and an embedded broker.')
    .version('0.1.0')
    .showSuggestionAfterError()
    .configureOutput({ writeErr: (text) => process.stderr.write(asOneLine(text)) })
    .exitOverride()
  const commands = [
    topicsCommand(),
    groupsCommand(),
    produceCommand(),
    consumeCommand(),
    runTopologiesCommand(),
    queryCommand(),
    replayCommand(),
    resetCommand(),
    describeCommand(),
    checkCommand(),
    diffCommand(),
    brokerCommand(),
  ]
  for (const command of commands) program.addCommand(command.exitOverride().copyInheritedSettings(program))
  return program
}

/** Commander's `error: …` with its suggestion on a second line becomes one line; help texts stay as they are. */
const asOneLine = (text: string): string =>
  text.startsWith('error: ') ? `millrace: ${oneLine(text.slice('error: '.length))}\n` : text

const oneLine = printableLine
