import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isFault } from '../../../src/base/fault.ts'
import { LmdbEnvironment } from '../../../src/state/lmdb-environment.ts'

/** Opens environments until the process has no descriptors left, and prints what the last one said. */
const [folder = ''] = process.argv.slice(2)
const damaged: unknown[] = []
const opened: LmdbEnvironment[] = []
for (;;) {
  const directory = join(folder, String(opened.length))
  mkdirSync(directory)
  try {
    opened.push(LmdbEnvironment.open(directory, (fault) => void damaged.push(fault)))
  } catch (error) {
    const states = await LmdbEnvironment.readStates(join(folder, '0')).catch((failure: unknown) => failure)
    console.log(
      JSON.stringify({
        code: isFault(error) ? error.code : String(error),
        message: String(error),
        damaged: damaged.length,
        read: isFault(states) ? states.code : 'none',
      }),
    )
    process.exit()
  }
}
