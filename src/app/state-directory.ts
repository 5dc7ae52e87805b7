import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A folder that one running worker has to itself. */
export interface StateDirectory {
  readonly directory: string
  /** Stays with the folder over restarts, so that a transaction which a crash left open is ended by the next start. */
  readonly processId: string
  release(): void
}

/**
 * Claims folders for durable stores below `root`. Several workers of one application on one machine share a root, be they
 * threads or processes: each takes the first slot that no living process holds, and finds there again what it had before.
 * A process claims the slots of all its threads itself, so that a thread which is replaced keeps its slot.
 */
export const claimStateDirectories = (root: string, count: number): readonly StateDirectory[] => {
  const claimed: StateDirectory[] = []
  for (let slot = 0; claimed.length < count; slot++) {
    const directory = join(root, `process-${slot}`)
    mkdirSync(directory, { recursive: true })
    const lock = join(directory, 'lock')
    if (!takeLock(lock)) continue
    claimed.push({
      directory,
      processId: processIdOf(directory),
      release: () => rmSync(lock, { force: true }),
    })
  }
  return claimed
}

/** The process that holds one of the slots below `root`; undefined where none lives. */
export const holderOfState = (root: string): number | undefined => {
  if (!existsSync(root)) return undefined
  const holders = readdirSync(root).map((slot) => readHolder(join(root, slot, 'lock')))
  return holders.find(isAlive)?.pid
}

/** Who holds a lock: the process id, and when that process began, as ids come again, in a container at each start. */
interface Holder {
  readonly pid: number
  readonly startedAt: string
}

/** A lock is a file with the holder in it; one whose holder is gone is taken over. */
const takeLock = (lock: string): boolean => {
  const take = (): boolean => {
    try {
      writeFileSync(lock, `${process.pid} ${startOf(process.pid)}`.trimEnd(), { flag: 'wx' })
      return true
    } catch {
      return false
    }
  }
  if (take()) return true
  if (isAlive(readHolder(lock))) return false
  rmSync(lock, { force: true })
  return take()
}

const readHolder = (lock: string): Holder => {
  const [pid = '', startedAt = ''] = textOf(lock).split(' ')
  return { pid: Number(pid), startedAt }
}

/** Empty where the file is gone: somebody else was quicker. */
const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

const isAlive = ({ pid, startedAt }: Holder): boolean => {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return startedAt === '' || startOf(pid) === '' || startOf(pid) === startedAt
}

/** When a process began, in the machine's own count; empty where the machine does not say. */
const startOf = (pid: number): string => {
  // The name of the program, in brackets, may hold anything; what follows it are numbers.
  const fields = textOf(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? []
  return fields[startField] ?? ''
}

/** The 22nd field of the whole line. */
const startField = 19

const processIdOf = (directory: string): string => {
  const file = join(directory, 'process-id')
  if (!existsSync(file)) writeFileSync(file, randomUUID())
  return readFileSync(file, 'utf8')
}
