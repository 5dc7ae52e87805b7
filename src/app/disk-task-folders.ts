import { existsSync, readdirSync, renameSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { TimeSlice } from '../base/time-slice.ts'
import { refuseTasksWithoutDescriptors } from '../files/descriptors.ts'
import type { TaskFolders } from '../runtime/task-folders.ts'
import { AbandonedSlots } from './abandoned-slots.ts'
import { freeName, LmdbEnvironment } from '../state/lmdb-environment.ts'
import { deleteTaskState, isSetAsideName, isTaskName, statusOf } from './task-states.ts'

/** The task folders below the state directory of one member. */
export const diskTaskFolders = (directory: string, clock: Clock): TaskFolders => {
  const abandoned = new AbandonedSlots(directory, clock)
  const slice = new TimeSlice(clock, readingMs)
  const names = (): readonly string[] => (existsSync(directory) ? readdirSync(directory) : [])
  return {
    tasks: () => names().filter(isTaskName),
    refuseTooMany: (tasks) => refuseTasksWithoutDescriptors(tasks),
    read: async (task) => {
      while (slice.check()) await slice.next()
      return LmdbEnvironment.readStates(join(directory, task))
    },
    setAside: (task) => {
      const path = freeName(join(directory, `${task}.outdated`))
      renameSync(join(directory, task), path)
      const nowSeconds = clock.now() / 1_000
      utimesSync(path, nowSeconds, nowSeconds)
      return path
    },
    delete: (task) => deleteTaskState(join(directory, task)),
    deleteAbandoned: (delayMs) => abandoned.deleteState(delayMs),
    deleteSetAside: (beforeMs) => {
      for (const name of names().filter(isSetAsideName)) {
        const path = join(directory, name)
        if ((statusOf(path)?.mtimeMs ?? beforeMs) < beforeMs) deleteTaskState(path)
      }
    },
  }
}

/** Each reading opens files. Hundreds are read at once after a rebalance, so the event loop runs in between. */
const readingMs = 50
