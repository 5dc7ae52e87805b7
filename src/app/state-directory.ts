import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, wholeMessageOf } from '../base/fault.ts'
import { holderOfDirectory, lockDirectory } from '../files/directory-lock.ts'
import { fileRemedy } from '../files/file-remedy.ts'
import { makeDirectory } from '../files/make-directory.ts'
import { writePrivateFile } from '../files/private-file.ts'
import { isDirectory } from './task-states.ts'

/** A folder that one running member has to itself. */
export interface StateDirectory {
  readonly directory: string
  /** Stays with the folder over restarts, so that a transaction which a crash left open is ended by the next start. */
  readonly processId: string
  release(): void
}

/**
 * Claims folders for durable stores below `root`. Several members of one application that share a root take the first
 * slots that no live process holds, be they threads, processes or containers, and find there again what they had before.
 * A process claims the slots of all its threads itself, so that a thread which is replaced keeps its slot.
 */
export const claimStateDirectories = async (
  root: string,
  count: number,
): Promise<readonly StateDirectory[]> => {
  const claimed: StateDirectory[] = []
  try {
    for (let slot = 0; claimed.length < count; slot++) {
      const directory = await claimSlot(join(root, `process-${slot}`))
      if (directory !== undefined) claimed.push(directory)
    }
    return claimed
  } catch (error) {
    for (const slot of claimed) slot.release()
    throw unusable(root, error)
  }
}

/** The process that holds one of the slots below `root`; undefined where none lives. */
export const holderOfState = async (root: string): Promise<number | undefined> => {
  for (const name of slotsIn(root)) {
    const holder = await holderOfDirectory(join(root, name))
    if (holder !== undefined) return holder.pid
  }
  return undefined
}

/** The names of the slots below `root`; a symbolic link is none, as what it leads to may be another's. */
export const slotsIn = (root: string): readonly string[] =>
  existsSync(root)
    ? readdirSync(root).filter((name) => /^process-\d+$/.test(name) && isDirectory(join(root, name)))
    : []

/** Undefined where another process holds the slot; whatever else goes wrong would go wrong with every slot. */
const claimSlot = async (directory: string): Promise<StateDirectory | undefined> => {
  makeDirectory(directory)
  const lock = await lockDirectory(directory)
  if (lock.kind === 'taken') return undefined
  try {
    return { directory, processId: processIdOf(directory), release: lock.release }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Made once; an empty file was left by a process for which the disk was full. */
const processIdOf = (directory: string): string => {
  const file = join(directory, processIdFile)
  const known = existsSync(file) ? readFileSync(file, 'utf8') : ''
  if (known !== '') return known
  const made = randomUUID()
  writePrivateFile(file, made)
  return made
}

export const processIdFile = 'process-id'

export const unusable = (root: string, error: unknown): Fault =>
  new Fault({
    code: 'STATE_DIRECTORY_UNUSABLE',
    actor: 'author',
    message: `the state directory ${root} cannot be used: ${wholeMessageOf(error)}`,
    remedy: fileRemedy(error, 'stateDirectory'),
    cause: error,
  })
