import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../base/fault.ts'

/** Keeps two brokers out of one data directory. A lock whose process is gone is taken over. */
export const takeLock = (directory: string): (() => void) => {
  const path = join(directory, '.lock')
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const owner = Number(readFileSync(path, 'utf8'))
      if (isAlive(owner)) throw inUse(directory, owner)
      rmSync(path, { force: true })
    }
  }
}

const isAlive = (processId: number): boolean => {
  if (!Number.isInteger(processId) || processId <= 0) return false
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const inUse = (directory: string, owner: number): Fault =>
  new Fault({
    code: 'DATA_DIRECTORY_IN_USE',
    actor: 'author',
    message: `the data directory ${directory} is in use by process ${owner}`,
    remedy: 'stop the broker that runs on it, or choose another directory',
  })
