import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fileRemedy } from '../../src/files/file-remedy.ts'
import { runToEnd } from '../support/run-process.ts'

const program = join(import.meta.dirname, 'programs/no-permission.ts')

it.skipIf(process.platform === 'win32').each([
  ['a data file that may not be read', 'data.mdb', '0'],
  ['a data file that may not be written', 'data.mdb', '400'],
  ['a lock file that may not be read', 'lock.mdb', '0'],
  ['a lock file that may not be written', 'lock.mdb', '400'],
  ['a directory that may not be read', '', '0'],
])('%s is not taken for damage, and the message names the remedy', async (_what, part, mode) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-permission-'))
  const { stdout } = await runToEnd(process.execPath, [program, folder, part, mode])
  rmSync(folder, { recursive: true })
  const failure = `failed: the state in ${join(folder, '0_0')} cannot be read or written: `
  const lines = stdout.trimEnd().split('\n')
  expect(lines.slice(0, 2)).toEqual([expect.stringContaining(failure), expect.stringContaining(failure)])
  for (const line of lines.slice(0, 2)) {
    expect(line).toMatch(/permission denied|EACCES/i)
    expect(line).toContain('make it writable for this process, or set stateDirectory to a directory that is')
  }
  expect(lines.slice(2)).toEqual(['then 1 at 7', '0_0'])
})

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
