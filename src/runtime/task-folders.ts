import type { StoredState } from '../state/disk.ts'
import type { TaskId } from './assign-tasks.ts'

/** The folders of one member's tasks on disk. They are closed when they are read, renamed or deleted. */
export interface TaskFolders {
  tasks(): readonly TaskId[]
  /** Throws where the process has no file descriptors for the state of so many more tasks. */
  refuseTooMany(tasks: number): void
  /**
   * What is noted of each store of a task; undefined where there is no state, or where it is damaged. Throws where it cannot
   * be read for another reason.
   */
  read(task: TaskId): Promise<Map<string, StoredState> | undefined>
  /** Renames the folder of a task, so that the task begins without state. Returns the new path. */
  setAside(task: TaskId): string
  delete(task: TaskId): void
  /** Deletes the folders that were set aside before this time, because they were outdated or damaged. */
  deleteSetAside(beforeMs: number): void
  /** Deletes the state in folders of members that have not run for so long. */
  deleteAbandoned(delayMs: number): Promise<void>
}

/** Stores in memory leave nothing behind. */
export const noTaskFolders: TaskFolders = {
  tasks: () => [],
  refuseTooMany: () => undefined,
  read: () => Promise.resolve(undefined),
  setAside: () => '',
  delete: () => undefined,
  deleteSetAside: () => undefined,
  deleteAbandoned: () => Promise.resolve(),
}
