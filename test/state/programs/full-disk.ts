import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../../src/base/fault.ts'
import { systemClock } from '../../../src/base/system-clock.ts'
import { topology } from '../../../src/dsl/builder.ts'
import { string } from '../../../src/topic/serdes.ts'
import { topic } from '../../../src/topic/topic.ts'
import { openLmdbStores } from '../../../src/state/open-lmdb-stores.ts'
import type { StateStore, TimestampedKeyValueStore } from '../../../src/state/store.ts'

/** Fills the disk of its argument before the stores are opened, or before they are written, and prints what they do. */
const [disk = '', when] = process.argv.slice(2)
const filler = join(disk, 'filler')
const fill = (): void => {
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(filler, new Uint8Array(bavail * bsize))
}
const program = topology('full', (builder) => {
  builder.table(topic('words', { value: string }), { store: 'words' })
})
const open = () => {
  const stores = openLmdbStores(join(disk, '0_0'), {
    clock: systemClock,
    onDamaged: (fault) => console.log(`damaged: ${fault.message}`),
  })
  const [words] = program.stores.map((definition) => stores.open(definition, { append: () => {} }))
  return { stores, words: words as StateStore as unknown as TimestampedKeyValueStore<string, string> }
}
const attempt = async (work: () => Promise<void>): Promise<void> =>
  work().catch((error: unknown) => console.log(messageOf(error)))
const write = async (count: number, changelogOffset: number): Promise<void> => {
  const { stores, words } = open()
  for (let row = 0; row < count; row++) words.put(`k${row}`, 'v'.repeat(500), 1)
  words.flush()
  try {
    words.persist(changelogOffset)
  } finally {
    await stores.close()
  }
}

if (when === 'open') fill()
await attempt(() => write(1, 1))
if (when === 'write') {
  fill()
  await attempt(() => write(20_000, 2))
}
rmSync(filler)
const { stores, words } = open()
console.log(`then at ${words.changelogOffset()}`)
await stores.close()
await write(10, 3)
const again = open()
console.log(`written to ${again.words.changelogOffset()}`)
await again.stores.close()
