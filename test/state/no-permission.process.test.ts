import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { fileRemedy } from '../../src/files/file-remedy.ts'
import { keyValueStore, string } from '../../src/index.ts'
import { openLmdbStores } from '../../src/state/open-lmdb-stores.ts'
import type { KeyValueStore } from '../../src/state/store.ts'
import { runToEnd } from '../support/run-process.ts'

const program = join(import.meta.dirname, 'programs/no-permission.ts')
const words = keyValueStore('words', { key: string, value: string })

describe.skipIf(process.platform === 'win32')('state without a permission', () => {
  const cases = [
    { what: 'a data file that may not be read', part: 'data.mdb', mode: 0 },
    { what: 'a data file that may not be written', part: 'data.mdb', mode: 0o400 },
    { what: 'a lock file that may not be read', part: 'lock.mdb', mode: 0 },
    { what: 'a lock file that may not be written', part: 'lock.mdb', mode: 0o400 },
    { what: 'a directory that may not be read', part: '', mode: 0 },
  ].map((each, index) => ({ ...each, index }))
  let folder: string
  /** What another process printed that tried to open each, two lines for one. */
  let lines: readonly string[]
  const folderOf = (index: number): string => join(folder, String(index))
  const directoryOf = (index: number): string => join(folderOf(index), '0_0')

  const withStore = async <T>(
    directory: string,
    work: (store: KeyValueStore<string, string>) => T,
  ): Promise<T> => {
    const stores = openLmdbStores(directory, { clock: new ManualClock() })
    const result = work(stores.open(words, { append: () => {} }) as KeyValueStore<string, string>)
    await stores.close()
    return result
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-permission-'))
    for (const { index, part, mode } of cases) {
      const directory = directoryOf(index)
      mkdirSync(directory, { recursive: true })
      await withStore(directory, (store) => {
        store.put('a', '1', 1)
        store.flush()
        store.persist(7)
      })
      const owned = [folder, folderOf(index), directory, ...filesOf(directory)]
      if (process.getuid?.() === 0) for (const each of owned) chownSync(each, 65_534, 65_534)
      chmodSync(join(directory, part), mode)
    }
    const directories = cases.map(({ index }) => directoryOf(index))
    const { stdout } = await runToEnd(process.execPath, [program, ...directories])
    lines = stdout.trimEnd().split('\n')
    for (const { index, part } of cases)
      chmodSync(join(directoryOf(index), part), part === '' ? 0o700 : 0o600)
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(cases)(
    'is not taken for damage with $what, and the message names the remedy',
    async ({ index }) => {
      expect(lines).toHaveLength(2 * cases.length)
      const directory = directoryOf(index)
      for (const line of lines.slice(2 * index, 2 * index + 2)) {
        expect(line).toContain(`failed: the state in ${directory} cannot be read or written: `)
        expect(line).toMatch(/permission denied|EACCES/i)
        expect(line).toContain(
          'make it writable for this process, or set stateDirectory to a directory that is',
        )
      }
      await withStore(directory, (store) =>
        expect([store.get('a'), store.changelogOffset()]).toEqual(['1', 7]),
      )
      expect(readdirSync(folderOf(index))).toEqual(['0_0'])
    },
  )
})

const filesOf = (directory: string): string[] => readdirSync(directory).map((name) => join(directory, name))

it.each([
  ['EACCES', 'make it writable for this process'],
  ['EPERM', 'make it writable for this process'],
  ['EROFS', 'make it writable for this process'],
  ['ENOSPC', 'free space on its disk'],
  ['EDQUOT', 'free space on its disk'],
  ['ENOTDIR', 'set stateDirectory to a path that is no file'],
  ['EMFILE', 'raise the limit of open files (ulimit -n)'],
  ['ENOMEM', 'give the process more memory'],
  ['EIO', 'check the disk'],
])('%s has a remedy of its own, by its code and by its name in a text', (code, remedy) => {
  expect(fileRemedy(Object.assign(new Error('no'), { code }), 'stateDirectory')).toContain(remedy)
  expect(fileRemedy(new Error(`${code}: no`), 'stateDirectory')).toContain(remedy)
})
