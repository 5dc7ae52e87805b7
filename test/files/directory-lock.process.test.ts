import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { holderOfDirectory, lockDirectory } from '../../src/files/directory-lock.ts'
import type { RunningProcess } from '../support/run-process.ts'
import { openToOthers } from '../support/open-to-others.ts'
import { runProcess } from '../support/run-process.ts'

const holderModule = join(import.meta.dirname, 'programs/lock-holder.ts')
const canUnshare = spawnSync('unshare', ['-pf', '--mount-proc', 'true']).status === 0

describe('a locked directory', () => {
  let directory: string
  const started: RunningProcess[] = []

  const holderProcess = async (before: readonly string[] = []): Promise<RunningProcess> => {
    const [command, ...rest] = [...before, process.execPath, holderModule, directory]
    const holder = runProcess(command, rest)
    started.push(holder)
    await holder.waitForLine(/locked|taken/)
    return holder
  }
  const end = async (holder: RunningProcess): Promise<void> => {
    holder.kill('SIGKILL')
    await holder.waitForExit()
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-lock-'))
  })

  afterEach(async () => {
    for (const each of started.splice(0)) await end(each)
    rmSync(directory, { recursive: true })
  })

  it('has one holder, in the same process too, and is free again once released', async () => {
    const first = await lockDirectory(directory)
    expect(first.kind).toBe('locked')
    expect(openToOthers(directory)).toEqual([])
    expect(await lockDirectory(directory)).toMatchObject({ kind: 'taken', holder: { pid: process.pid } })
    if (first.kind === 'locked') first.release()
    expect(readdirSync(directory)).toEqual([])
    const second = await lockDirectory(directory)
    expect(second.kind).toBe('locked')
    if (second.kind === 'locked') second.release()
  })

  it('is held by another process until that is killed, and then free at once', async () => {
    const holder = await holderProcess()
    expect(await lockDirectory(directory)).toMatchObject({ kind: 'taken', holder: { pid: holder.pid } })
    await end(holder)
    expect(await holderOfDirectory(directory)).toBeUndefined()
    expect((await holderProcess()).lines).toEqual(['locked'])
  })

  it('stays with a process that is stopped, as that may be continued', async () => {
    const holder = await holderProcess()
    holder.kill('SIGSTOP')
    expect((await lockDirectory(directory)).kind).toBe('taken')
    holder.kill('SIGCONT')
  })

  it('goes to one of many that claim it at the same moment', async () => {
    const locks = await Promise.all(Array.from({ length: 20 }, () => lockDirectory(directory)))
    expect(locks.filter(({ kind }) => kind === 'locked').length).toBeLessThanOrEqual(1)
    const processes = await Promise.all(Array.from({ length: 3 }, () => holderProcess()))
    const held = [...locks.map(({ kind }) => kind), ...processes.map(({ lines }) => lines[0])]
    expect(held.filter((each) => each === 'locked')).toHaveLength(1)
    for (const lock of locks) if (lock.kind === 'locked') lock.release()
  })

  it.skipIf(!canUnshare)('is seen from another container, whose process ids are its own', async () => {
    const container = ['unshare', '-pfn', '--mount-proc', '--kill-child']
    const first = await holderProcess(container)
    expect(first.lines).toEqual(['locked'])
    expect((await holderProcess(container)).lines).toEqual(['taken by 1'])
    await end(first)
    expect((await holderProcess(container)).lines).toEqual(['locked'])
  })

  it('may have a path that is too long for a socket', async () => {
    directory = join(directory, 'a'.repeat(120))
    mkdirSync(directory)
    const lock = await lockDirectory(directory)
    expect(lock.kind).toBe('locked')
    expect((await lockDirectory(directory)).kind).toBe('taken')
    if (lock.kind === 'locked') lock.release()
    directory = join(directory, '..')
  })

  describe('without sockets, or from another machine', () => {
    const claim = (boot: string, ageMs = 0): void => {
      const file = join(directory, `lock-0123456789abcdef-4194303-1-1-${boot}-held`)
      writeFileSync(file, '')
      const atSeconds = (Date.now() - ageMs) / 1_000
      utimesSync(file, atSeconds, atSeconds)
    }

    it('is held as long as its claim is fresh', async () => {
      claim('beef')
      expect(await lockDirectory(directory)).toMatchObject({ kind: 'taken', holder: { pid: 4_194_303 } })
    })

    it('is free when its claim has not been touched for half a minute', async () => {
      claim('beef', 31_000)
      const lock = await lockDirectory(directory)
      expect(lock.kind).toBe('locked')
      if (lock.kind === 'locked') lock.release()
    })
  })

  it('that cannot be written is reported with the path', async () => {
    const file = join(directory, 'file')
    writeFileSync(file, '')
    await expect(lockDirectory(file)).rejects.toThrow(/ENOTDIR.*file/)
    await expect(lockDirectory(join(directory, 'none'))).rejects.toThrow(/ENOENT.*none/)
  })
})
