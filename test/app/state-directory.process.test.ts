import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { claimStateDirectories, holderOfState } from '../../src/app/state-directory.ts'
import { runToEnd } from '../support/run-process.ts'

const claimModule = join(import.meta.dirname, 'programs/claim-state.ts')
const canMount = spawnSync('unshare', ['-m', 'true']).status === 0

describe('the state directory of an application', () => {
  let root: string

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'millrace-state-'))
  })

  afterEach(() => rmSync(root, { recursive: true }))

  it('has a slot for each member, and a slot keeps its process id over restarts', async () => {
    const two = await claimStateDirectories(root, 2)
    const [third] = await claimStateDirectories(root, 1)
    expect(readdirSync(root).toSorted()).toEqual(['process-0', 'process-1', 'process-2'])
    expect(await holderOfState(root)).toBe(process.pid)
    for (const slot of [...two, third]) slot?.release()
    expect(await holderOfState(root)).toBeUndefined()
    const [again] = await claimStateDirectories(root, 1)
    expect(again?.processId).toBe(two[0]?.processId)
    again?.release()
  })

  it('that is a file, or lies below one, is refused by name', async () => {
    const file = join(root, 'file')
    writeFileSync(file, '')
    const claimed = claimStateDirectories(join(file, 'app'), 1)
    await expect(claimed).rejects.toMatchObject({ code: 'STATE_DIRECTORY_UNUSABLE' })
    await expect(claimed).rejects.toThrow(/file\/app cannot be used: EEXIST.*file.*set stateDirectory/)
  })

  it('whose slot is a file is refused by name', async () => {
    writeFileSync(join(root, 'process-0'), '')
    await expect(claimStateDirectories(root, 1)).rejects.toThrow(/EEXIST.*process-0.*set stateDirectory/)
  })

  it('with a process id that a full disk cut off gets another one', async () => {
    mkdirSync(join(root, 'process-0'))
    writeFileSync(join(root, 'process-0', 'process-id'), '')
    const [slot] = await claimStateDirectories(root, 1)
    expect(slot?.processId).not.toBe('')
    slot?.release()
  })

  it.skipIf(!canMount).each([
    ['full', 'mount -t tmpfs -o size=64k tmpfs "$1"; cat /dev/zero > "$1/full"', /ENOSPC.*free space/],
    ['out of inodes', 'mount -t tmpfs -o nr_inodes=1 tmpfs "$1"', /ENOSPC.*free space/],
    ['read-only', 'mount -t tmpfs -o ro tmpfs "$1"', /EROFS.*make it writable/],
  ])('on a disk that is %s is refused at once', async (_what, mount, refusal) => {
    const script = `${mount} 2>/dev/null; exec "$2" "$3" "$1/app"`
    const ended = await runToEnd(
      'unshare',
      ['-m', 'sh', '-c', script, 'sh', root, process.execPath, claimModule],
      { deadlineMs: 20_000 },
    )
    expect(ended.stdout).toMatch(refusal)
  })
})
