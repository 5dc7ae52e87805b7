import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { makeDirectory } from '../../src/files/make-directory.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-directory-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('a directory that is made belongs to its owner alone, and so do its parents', () => {
  makeDirectory(join(folder, 'state/orders/0'))
  const modeOf = (path: string): number => statSync(join(folder, path)).mode & 0o777
  expect(['state', 'state/orders', 'state/orders/0'].map(modeOf)).toEqual([0o700, 0o700, 0o700])
})
