import type { Command } from 'commander'
import { usage } from './usage.ts'

/** One thing that a command does, chosen by a flag, as Kafka's tools are called: `--create`, `--list`. */
export interface FlaggedAction<Run> {
  readonly flag: string
  readonly run: Run
  /** The flags it reads; any other one is refused, since it would have no effect. */
  readonly reads: readonly string[]
  /** One of these must be given. */
  readonly needs?: readonly string[]
}

const common: ReadonlySet<string> = new Set(['--bootstrap-server', '--command-config'])

/** The one action that the caller chose; a call that chooses none or several, or has flags for another action, is refused. */
export const chooseAction = <Run>(command: Command, actions: readonly FlaggedAction<Run>[]): Run => {
  const given = command.options
    .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
    .map((option) => option.long ?? option.flags)
  const chosen = actions.filter(({ flag }) => given.includes(flag))
  const [action] = chosen
  if (action === undefined || chosen.length > 1)
    throw usage(`say one of ${actions.map(({ flag }) => flag).join(', ')}`)
  const { flag, reads, needs, run } = action
  if (needs !== undefined && !needs.some((each) => given.includes(each)))
    throw usage(`${flag} needs ${needs.join(' or ')}`)
  const idle = given.find((each) => each !== flag && !reads.includes(each) && !common.has(each))
  if (idle !== undefined) throw usage(`${idle} has no effect with ${flag}`)
  return run
}
