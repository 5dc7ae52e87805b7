import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { Fault } from '../base/fault.ts'

/** What LMDB opens for the state of one task: its lock file, and its data file twice. */
export const descriptorsOfTask = 3
/** For connections to brokers and to clients of the query server, files of secrets, and logs. */
const reserved = 32

/** The descriptor table of the process, as far as the operating system reports it. */
export interface DescriptorTable {
  /** How many files and connections the process may have open; undefined where there is no limit, or it is not known. */
  readonly limit: number | undefined
  readonly open: number
}

/**
 * Refuses to open the state of so many more tasks where the process would run out of file descriptors. Without one, LMDB ends
 * the process by a segmentation fault.
 */
export const refuseTasksWithoutDescriptors = (
  tasks: number,
  { limit, open }: DescriptorTable = descriptorTable(),
): void => {
  if (limit === undefined || tasks === 0) return
  const needed = open + tasks * descriptorsOfTask + reserved
  if (needed > limit)
    throw exhausted(
      `the process may have ${limit} open files and connections, of which ${open} are open, and the state of ${tasks} more tasks takes ${tasks * descriptorsOfTask}, with ${reserved} for connections (${needed} in all)`,
      needed,
    )
}

/**
 * Refuses to go on where some descriptors are not left, by taking them for a moment: what the process, or the machine, has
 * used up since is only known so.
 */
export const refuseWithoutDescriptors = (path: string): void => {
  const probes: number[] = []
  try {
    while (probes.length < descriptorsOfTask + probed) probes.push(openSync(path, 'r'))
  } catch (cause) {
    if (!isExhausted(cause)) throw cause
    const { limit } = descriptorTable()
    throw exhausted(
      `the process is out of file descriptors: ${probes.length} are left${limit === undefined ? '' : ` of ${limit}`}`,
      (limit ?? 1_024) * 2,
      cause,
    )
  } finally {
    for (const probe of probes) closeSync(probe)
  }
}

/** Beside those of the task itself, for what opens meanwhile on other threads and connections. */
const probed = 13

const isExhausted = (error: unknown): boolean =>
  ['EMFILE', 'ENFILE'].includes(String((error as NodeJS.ErrnoException).code))

const exhausted = (message: string, needed: number, cause?: unknown): Fault =>
  new Fault({
    code: 'DESCRIPTORS_EXHAUSTED',
    actor: 'runtime',
    message,
    remedy: `raise the limit to ${needed} or more (ulimit -n; LimitNOFILE of systemd; ulimits of a container), or run the application in more processes, so that each has fewer tasks`,
    cause,
  })

/** Node raises the soft limit to the hard one when it starts. */
export const descriptorTable = (): DescriptorTable => ({ limit: limitOf(), open: openCount() })

const limitOf = (): number | undefined => {
  const text = textOf('/proc/self/limits')
  const soft = text === undefined ? limitInReport() : /^Max open files\s+(\S+)/m.exec(text)?.[1]
  const limit = Number(soft)
  return Number.isSafeInteger(limit) && limit > 0 ? limit : undefined
}

/** Where there is no `/proc`. */
const limitInReport = (): string | number | undefined => {
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly soft?: string | number } }
  }
  return userLimits?.open_files?.soft
}

const openCount = (): number => {
  for (const folder of ['/proc/self/fd', '/dev/fd'])
    try {
      return readdirSync(folder).length - 1
    } catch (error) {
      if (isExhausted(error)) return Number.MAX_SAFE_INTEGER
    }
  return 0
}

const textOf = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
