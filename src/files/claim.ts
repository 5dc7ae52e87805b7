import { randomBytes } from 'node:crypto'
import {
  closeSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { backgroundTimer, systemClock } from '../base/system-clock.ts'
import { makePrivate, writePrivateFile } from './private-file.ts'

/** The process behind a claim. Process ids are reused and differ between containers, so the id alone says little. */
export interface Claimant {
  readonly pid: number
  /** When the process began, by the kernel's own count. */
  readonly startedAt: string
  /** The PID namespace, which a container has of its own. */
  readonly namespace: string
  /** The boot of the machine. */
  readonly boot: string
}

/** A file that says who claims a directory. */
export interface Claim {
  readonly name: string
  release(): void
}

/**
 * A claim is a Unix domain socket: the kernel accepts connections to it as long as its process lives, also while that is
 * stopped, and from every container that has the volume mounted. Where the file system has no sockets, it is a plain file.
 * Both are touched every few seconds, which serves processes that cannot ask the same kernel.
 */
export const createClaim = async (directory: string): Promise<Claim> => {
  const name = nameOf(thisProcess(), randomBytes(8).toString('hex'))
  const path = join(directory, name)
  const close = (await createSocket(directory, name)) ?? createFile(path)
  const stopTouching = keepFresh(path)
  const release = (): void => {
    stopTouching()
    close()
    rmSync(path, { force: true })
  }
  return { name, release }
}

/** Deletes what a process has left that ended while it created a claim. */
export const deleteUnfinished = (directory: string, name: string): void => {
  if (!isUnfinished(name)) return
  const status = statSync(join(directory, name), { throwIfNoEntry: false })
  if (status !== undefined && !isFresh(status)) rmSync(join(directory, name), { force: true })
}

/** Reads a file name of `createClaim`; undefined for any other name. */
export const claimantOf = (name: string): Claimant | undefined => {
  const [, pid, startedAt, namespace, boot] = claimName.exec(name) ?? []
  if (pid === undefined || startedAt === undefined || namespace === undefined || boot === undefined)
    return undefined
  return { pid: Number(pid), startedAt, namespace, boot }
}

/** True where the process behind a claim is alive. */
export const isLive = async (directory: string, name: string, claimant: Claimant): Promise<boolean> => {
  const here = thisProcess()
  const status = statSync(join(directory, name), { throwIfNoEntry: false })
  if (status === undefined) return false
  if (claimant.boot !== here.boot) return isFresh(status)
  if (status.isSocket()) return (await accepts(directory, name)) ?? isFresh(status)
  return claimant.namespace === here.namespace ? isRunning(claimant) : isFresh(status)
}

const isFresh = ({ mtimeMs }: { readonly mtimeMs: number }): boolean =>
  Math.abs(systemClock.now() - mtimeMs) < leaseMs

/** How long a claim lasts that only its touches vouch for. */
const leaseMs = 30_000
const touchIntervalMs = 5_000

const claimName = /^lock-[0-9a-f]{16}-(\d+)-(\d+)-(\d+)-([0-9a-f]+)$/

const nameOf = ({ pid, startedAt, namespace, boot }: Claimant, id: string): string =>
  `lock-${id}-${pid}-${startedAt}-${namespace}-${boot}`

/** Zeros where the operating system does not say. */
const thisProcess = (): Claimant => ({
  pid: process.pid,
  startedAt: startOf('self'),
  namespace: /\d+/.exec(linkOf('/proc/self/ns/pid'))?.[0] ?? '0',
  boot: textOf('/proc/sys/kernel/random/boot_id').slice(0, 8) || '0',
})

const startOf = (process: number | 'self'): string => {
  // The name of the program, in brackets, may hold anything; what follows it are numbers.
  const fields = textOf(`/proc/${process}/stat`).split(') ').at(-1)?.split(' ') ?? []
  return fields[startField] ?? '0'
}

/** The 22nd field of the whole line. */
const startField = 19

const isRunning = ({ pid, startedAt }: Claimant): boolean => {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false
  }
  const start = startOf(pid)
  return start === '0' || start === startedAt
}

/**
 * Listens on a socket and gives it the name; undefined where there can be none. It has another name until it listens, as
 * until then it refuses connections and would look like the claim of an ended process.
 */
const createSocket = async (directory: string, name: string): Promise<(() => void) | undefined> => {
  const unfinished = `${unfinishedPrefix}${name}`
  const close = await listenAt(directory, unfinished)
  if (close === undefined) return undefined
  try {
    makePrivate(join(directory, unfinished))
    renameSync(join(directory, unfinished), join(directory, name))
    return close
  } catch (error) {
    close()
    throw error
  }
}

const unfinishedPrefix = 'new-'

/** True for the name of a claim that is being created. */
export const isUnfinished = (name: string): boolean =>
  name.startsWith(unfinishedPrefix) && claimantOf(name.slice(unfinishedPrefix.length)) !== undefined

const listenAt = async (directory: string, name: string): Promise<(() => void) | undefined> => {
  const server = createServer((socket) => socket.destroy())
  const listening = await withShortPath(
    directory,
    name,
    (path) =>
      new Promise<boolean>((resolve) => {
        server.once('listening', () => resolve(true))
        server.once('error', () => resolve(false))
        // A worker of `node:cluster` would otherwise share a socket of its primary process.
        server.listen({ path, exclusive: true })
      }),
  )
  if (!listening) return undefined
  server.on('error', () => undefined)
  server.unref()
  return () => void server.close()
}

/**
 * Only a socket without a process refuses: one that is stopped accepts until its queue is full, and is busy then. Undefined
 * of a socket of another user, which cannot be asked.
 */
const accepts = (directory: string, name: string): Promise<boolean | undefined> =>
  withShortPath(
    directory,
    name,
    (path) =>
      new Promise<boolean | undefined>((resolve) => {
        const socket = connect({ path })
        socket.once('connect', () => resolve(true))
        socket.once('error', (error) => {
          const code = codeOf(error)
          resolve(code === 'EACCES' ? undefined : !['ECONNREFUSED', 'ENOENT'].includes(code))
        })
        socket.once('close', () => resolve(true))
        socket.once('connect', () => socket.destroy())
      }),
  )

/** A socket's path has at most some 100 bytes, so the directory is named by its descriptor where that is possible. */
const withShortPath = async <T>(
  directory: string,
  name: string,
  use: (path: string) => Promise<T>,
): Promise<T> => {
  if (process.platform !== 'linux') return use(join(directory, name))
  const descriptor = openSync(directory, 'r')
  try {
    return await use(`/proc/self/fd/${descriptor}/${name}`)
  } finally {
    closeSync(descriptor)
  }
}

const createFile = (path: string): (() => void) => {
  writePrivateFile(path, '', 'wx')
  return () => undefined
}

const keepFresh = (path: string): (() => void) => {
  let cancel = (): void => undefined
  const touchLater = (): void => {
    cancel = backgroundTimer(() => {
      touch(path)
      touchLater()
    }, touchIntervalMs)
  }
  touchLater()
  return () => cancel()
}

/** The directory may have been deleted meanwhile, or the disk may be gone: what works in it will report that. */
const touch = (path: string): void => {
  const nowSeconds = systemClock.now() / 1_000
  try {
    utimesSync(path, nowSeconds, nowSeconds)
  } catch {
    // See above.
  }
}

/** Empty where the file is not there or cannot be read. */
const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trimEnd()
  } catch {
    return ''
  }
}

const linkOf = (link: string): string => {
  try {
    return readlinkSync(link)
  } catch {
    return ''
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''
