import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A folder that one running application has to itself. */
export interface StateDirectory {
  readonly directory: string
  /** Stays with the folder over restarts, so that a transaction which a crash left open is ended by the next start. */
  readonly processId: string
  release(): void
}

/**
 * Claims a folder for durable stores below `root`. Several processes of one application on one machine may share a root:
 * each takes the first slot that no living process holds, and finds there again what it had before.
 */
export const claimStateDirectory = (root: string): StateDirectory => {
  for (let slot = 0; ; slot++) {
    const directory = join(root, `process-${slot}`)
    mkdirSync(directory, { recursive: true })
    const lock = join(directory, 'lock')
    if (!takeLock(lock)) continue
    return { directory, processId: processIdOf(directory), release: () => rmSync(lock, { force: true }) }
  }
}

/** The process that holds one of the slots below `root`; undefined where none lives. */
export const holderOfState = (root: string): number | undefined => {
  if (!existsSync(root)) return undefined
  const locks = readdirSync(root).map((slot) => join(root, slot, 'lock'))
  return locks
    .filter((lock) => existsSync(lock))
    .map((lock) => Number(readFileSync(lock, 'utf8')))
    .find(isAlive)
}

/** A lock is a file with the holder's process id; one whose holder is gone is taken over. */
const takeLock = (lock: string): boolean => {
  const take = (flag: string): boolean => {
    try {
      writeFileSync(lock, String(process.pid), { flag })
      return true
    } catch {
      return false
    }
  }
  if (take('wx')) return true
  if (isAlive(Number(readFileSync(lock, 'utf8')))) return false
  rmSync(lock, { force: true })
  return take('wx')
}

const isAlive = (pid: number): boolean => {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const processIdOf = (directory: string): string => {
  const file = join(directory, 'process-id')
  if (!existsSync(file)) writeFileSync(file, randomUUID())
  return readFileSync(file, 'utf8')
}
