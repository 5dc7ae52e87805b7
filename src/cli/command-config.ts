import { readFileSync } from 'node:fs'
import { Option } from 'commander'
import type { SettingsInput } from '../app/settings.ts'
import { usage } from './usage.ts'

/** Settings that hold secrets, in a file that others can't read. */
export type CommandConfig = Partial<SettingsInput>

/** How every command reaches a secured broker. */
const ofBroker = ['tls', 'sasl'] as const
/** What a running application serves queries with. */
export const ofQueries = ['queryToken', 'queryMemberSecret', 'queryTls'] as const

export const commandConfigOption = (): Option =>
  new Option('--command-config <file>', 'a JSON file with the settings tls and sasl, for a secured broker')

/** Reads the file; none given is none needed. Its content is never printed, since a password may be in it. */
export const readCommandConfig = (
  file: string | undefined,
  more: readonly (keyof SettingsInput)[] = [],
): CommandConfig => {
  if (file === undefined) return {}
  const config = parse(file)
  const known: readonly string[] = [...ofBroker, ...more]
  const strange = Object.keys(config).find((name) => !known.includes(name))
  if (strange === undefined) return config
  const names = `${known.slice(0, -1).join(', ')} and ${known.at(-1)}`
  throw usage(`${file} sets '${strange}', which --command-config does not know`, `set ${names} there`)
}

const parse = (file: string): CommandConfig => {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw usage(`the file ${file} of --command-config can't be read`, 'check the path and who may read it')
  }
  try {
    const config: unknown = JSON.parse(text)
    if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config
  } catch {
    // The parser's message quotes the text, and so perhaps a password.
  }
  throw usage(`the file ${file} of --command-config is no JSON object`, 'write {"tls": {…}, "sasl": {…}}')
}
