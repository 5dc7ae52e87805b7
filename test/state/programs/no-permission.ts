import { messageOf } from '../../../src/base/fault.ts'
import { ManualClock } from '../../../src/base/manual-clock.ts'
import { keyValueStore, string } from '../../../src/index.ts'
import { LmdbEnvironment } from '../../../src/state/lmdb-environment.ts'
import { openLmdbStores } from '../../../src/state/open-lmdb-stores.ts'

/** Opens the state in each of these directories, as a user who may not do everything, and prints what comes of it. */
const directories = process.argv.slice(2)
const words = keyValueStore('words', { key: string, value: string })

const open = (directory: string): void => {
  const stores = openLmdbStores(directory, {
    clock: new ManualClock(),
    onDamaged: (fault) => console.log(`set aside: ${fault.message}`),
  })
  try {
    stores.open(words, { append: () => {} })
  } finally {
    void stores.close()
  }
}

const attempt = async (work: () => Promise<unknown>): Promise<void> =>
  work().then(
    () => console.log('opened'),
    (error: unknown) => console.log(`failed: ${messageOf(error)}`),
  )

// Root may do everything, so it gives up being root once the modules are loaded.
if (process.getuid?.() === 0) process.setuid?.(65_534)
for (const directory of directories) {
  await attempt(async () => open(directory))
  await attempt(() => LmdbEnvironment.readStates(directory))
}
