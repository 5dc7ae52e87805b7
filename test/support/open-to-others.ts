import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** The files and folders below a folder that users other than their owner may read, write or enter, with their modes. */
export const openToOthers = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => ({ name, mode: lstatSync(join(folder, name)).mode & 0o777 }))
    .filter(({ mode }) => (mode & 0o077) !== 0)
    .map(({ name, mode }) => `${name} ${mode.toString(8)}`)
