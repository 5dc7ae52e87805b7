import { readFileSync } from 'node:fs'
import { Option } from 'commander'
import type { SettingsInput } from '../app/settings.ts'
import { usage } from './usage.ts'

/** How the command line reaches a secured broker: the settings `tls` and `sasl`, in a file that others can't read. */
export type CommandConfig = Pick<SettingsInput, 'tls' | 'sasl'>

export const commandConfigOption = (): Option =>
  new Option('--command-config <file>', 'a JSON file with the settings tls and sasl, for a secured broker')

/** Reads the file; none given is none needed. Nothing of its content is told, since a password may be in it. */
export const readCommandConfig = (file: string | undefined): CommandConfig => {
  if (file === undefined) return {}
  const config = parse(file)
  const strange = Object.keys(config).find((name) => name !== 'tls' && name !== 'sasl')
  if (strange === undefined) return config
  throw usage(`${file} sets '${strange}', which --command-config does not know`, 'set tls and sasl there')
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
