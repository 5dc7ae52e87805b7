import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { Fault } from 'millrace'

/**
 * What the programs in `topologies/` are told from outside: `config/settings.json`, over which the environment has the
 * last word. This folder is the only place that reads the environment.
 */
const Settings = z.strictObject({
  /** The status of the orders to react to; `LISTEN_STATUS` in the environment. */
  listen_status: z.string().min(1).default('created'),
})

export interface Settings {
  readonly listenStatus: string
}

/** Reads the settings from a file and an environment. */
export const readSettings = (
  environment: Readonly<Record<string, string | undefined>> = process.env,
  file: string = fileURLToPath(new URL('settings.json', import.meta.url)),
): Settings => {
  const written: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const status = environment['LISTEN_STATUS']
  const parsed = Settings.safeParse({
    ...(written as object),
    ...(status === undefined ? {} : { listen_status: status }),
  })
  if (parsed.success) return { listenStatus: parsed.data.listen_status }
  throw new Fault({
    code: 'SETTINGS_INVALID',
    actor: 'author',
    message: `the settings of the topologies are wrong: ${z.prettifyError(parsed.error)}`,
    remedy: `fix ${file} or LISTEN_STATUS`,
  })
}

/** The settings of this process. */
export const settings: Settings = readSettings()
