import type { Command, Option } from 'commander'
import { nearest } from '../base/nearest.ts'
import { usage } from './usage.ts'

/**
 * Refuses what commander lets through, before it parses: a value given twice, of which it would take the last, and an
 * unknown flag beside a missing one, where it would name the missing one alone.
 */
export const checkFlags = (command: Command, args: readonly string[]): void => {
  const seen = new Set<string>()
  for (let index = 0; index < args.length; index++) {
    const [flag = ''] = (args[index] as string).split('=', 1)
    if (flag === '--') return
    if (!flag.startsWith('--') || flag === '--help') continue
    const option = command.options.find(({ long }) => long === flag)
    if (option === undefined) throw unknownFlag(command, flag)
    if (!option.required) continue
    if (seen.has(flag) && !gathers(option)) throw usage(`${flag} is given twice`)
    seen.add(flag)
    if (flag === args[index]) index++
  }
}

/** True of `--property` and the like, whose values are gathered: their parser takes what was gathered before. */
const gathers = ({ parseArg }: Option): boolean => (parseArg?.length ?? 0) > 1

const unknownFlag = (command: Command, flag: string): Error => {
  const known = command.options.flatMap(({ long }) => long ?? [])
  const near = nearest(flag, known)
  return usage(`unknown option '${flag}'${near === undefined ? '' : ` (Did you mean ${near}?)`}`)
}
