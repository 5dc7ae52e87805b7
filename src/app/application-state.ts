import { readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isLockFile, lockDirectory } from '../files/directory-lock.ts'
import { processIdFile, slotsIn, unusable } from './state-directory.ts'
import { isDirectory, isSetAsideName, isTaskName, statusOf, strangersInTask } from './task-states.ts'

/** What lies where an application has its state on this machine. */
export interface ApplicationState {
  readonly root: string
  /** False where there is nothing, or an empty folder. */
  readonly exists: boolean
  /** Why the path is not the state of an application, as an end of a sentence; undefined where it is, or there is none. */
  readonly problem: string | undefined
}

/**
 * Looks at the state of an application, and changes nothing. A folder is its state only if everything in it is what an
 * application writes there. The name of the folder is no proof: other folders have such names too.
 */
export const applicationStateIn = (stateDirectory: string, applicationId: string): ApplicationState => {
  const root = join(stateDirectory, applicationId)
  try {
    // A file system that ignores case also finds the folder of an application whose id differs in case.
    if (!namesIn(stateDirectory).includes(applicationId)) return { root, exists: false, problem: undefined }
    return { root, exists: !isDirectory(root) || namesIn(root).length > 0, problem: problemOf(root) }
  } catch (error) {
    throw unusable(root, error)
  }
}

/** The locks of all slots of an application, so that no process begins to use them. */
export type StateLock =
  | { readonly kind: 'taken'; readonly pid: number }
  | {
      readonly kind: 'locked'
      /** Deletes the slots. What a process has written beside them since stays. */
      readonly delete: () => void
      readonly release: () => void
    }

/** Locks the state of an application, as `applicationStateIn` has found it. */
export const lockApplicationState = async (root: string): Promise<StateLock> => {
  const releases: (() => void)[] = []
  const release = (): void => releases.splice(0).forEach((each) => each())
  try {
    const slots = slotsIn(root).map((name) => join(root, name))
    for (const slot of slots) {
      const lock = await lockDirectory(slot)
      if (lock.kind === 'taken') {
        release()
        return { kind: 'taken', pid: lock.holder.pid }
      }
      releases.push(lock.release)
    }
    return { kind: 'locked', delete: () => deleteSlots(root, slots), release }
  } catch (error) {
    release()
    throw unusable(root, error)
  }
}

const deleteSlots = (root: string, slots: readonly string[]): void => {
  for (const slot of slots) if (strangersInSlot(slot).length === 0) rmSync(slot, { recursive: true })
  if (isDirectory(root) && namesIn(root).length === 0) rmdirSync(root)
}

const namesIn = (directory: string): readonly string[] =>
  statusOf(directory) === undefined ? [] : readdirSync(directory)

const problemOf = (root: string): string | undefined => {
  if (statusOf(root)?.isSymbolicLink() === true) return 'it is a symbolic link'
  if (!isDirectory(root)) return 'it is not a directory'
  const slots = slotsIn(root)
  const strangers = [
    ...namesIn(root).filter((name) => !slots.includes(name)),
    ...slots.flatMap((slot) => strangersInSlot(join(root, slot)).map((name) => join(slot, name))),
  ]
  if (strangers.length === 0) return undefined
  const shown = strangers.slice(0, shownStrangers).join(', ')
  const more = strangers.length - shownStrangers
  return `it holds ${shown}${more > 0 ? ` and ${more} more` : ''}, which Millrace does not write`
}

const shownStrangers = 3

const strangersInSlot = (slot: string): readonly string[] =>
  readdirSync(slot, { withFileTypes: true }).flatMap((entry) => {
    const { name } = entry
    if (isTaskName(name) || isSetAsideName(name))
      return entry.isDirectory()
        ? strangersInTask(join(slot, name)).map((stranger) => join(name, stranger))
        : [name]
    const isOwn = name === processIdFile || isLockFile(name)
    return isOwn && !entry.isDirectory() && !entry.isSymbolicLink() ? [] : [name]
  })
