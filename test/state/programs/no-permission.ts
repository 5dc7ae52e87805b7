import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../../../src/base/fault.ts'
import { ManualClock } from '../../../src/base/manual-clock.ts'
import { keyValueStore, string } from '../../../src/index.ts'
import { LmdbEnvironment } from '../../../src/state/lmdb-environment.ts'
import { openLmdbStores } from '../../../src/state/open-lmdb-stores.ts'
import type { KeyValueStore } from '../../../src/state/store.ts'

/** Takes a permission from a part of the state in a folder, opens the state in another process, and gives it back. */
const [folder = '', part = '', mode = '', isOther] = process.argv.slice(2)
const directory = join(folder, '0_0')
const words = keyValueStore('words', { key: string, value: string })
const nobody = 65_534

const open = (): { readonly store: KeyValueStore<string, string>; readonly close: () => Promise<void> } => {
  const stores = openLmdbStores(directory, {
    clock: new ManualClock(),
    onDamaged: (fault) => console.log(`set aside: ${fault.message}`),
  })
  try {
    const store = stores.open(words, { append: () => {} }) as KeyValueStore<string, string>
    return { store, close: () => stores.close() }
  } catch (error) {
    void stores.close()
    throw error
  }
}

const attempt = async (work: () => Promise<unknown>): Promise<void> =>
  work().then(
    () => console.log('opened'),
    (error: unknown) => console.log(`failed: ${messageOf(error)}`),
  )

if (isOther === undefined) {
  mkdirSync(directory)
  const first = open()
  first.store.put('a', '1', 1)
  first.store.flush()
  first.store.persist(7)
  await first.close()
  const isRoot = process.getuid?.() === 0
  for (const each of [folder, directory, ...readdirSync(directory).map((name) => join(directory, name))])
    if (isRoot) chownSync(each, nobody, nobody)
  const target = join(directory, part)
  chmodSync(target, Number.parseInt(mode, 8))
  const args = [fileURLToPath(import.meta.url), folder, part, mode, 'other']
  const { signal } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (signal !== null) console.log(`ended by ${signal}`)
  chmodSync(target, part === '' ? 0o700 : 0o600)
  const second = open()
  console.log(`then ${String(second.store.get('a'))} at ${second.store.changelogOffset()}`)
  console.log(readdirSync(folder).join(' '))
  await second.close()
} else {
  // Root may do everything, so it gives up being root once the modules are loaded.
  if (process.getuid?.() === 0) process.setuid?.(nobody)
  await attempt(async () => open())
  await attempt(() => LmdbEnvironment.readStates(directory))
}
