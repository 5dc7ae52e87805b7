import { existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { TaskFolders } from '../runtime/task-folders.ts'
import { AbandonedSlots } from './abandoned-slots.ts'
import { freeName, LmdbEnvironment } from '../state/lmdb-environment.ts'

/** The task folders below the state directory of one worker. */
export const diskTaskFolders = (directory: string, clock: Clock): TaskFolders => {
  const abandoned = new AbandonedSlots(directory, clock)
  const names = (): readonly string[] => (existsSync(directory) ? readdirSync(directory) : [])
  return {
    tasks: () => names().filter((name) => taskName.test(name)),
    read: (task) => LmdbEnvironment.readStates(join(directory, task)),
    setAside: (task) => {
      const path = freeName(join(directory, `${task}.outdated`))
      renameSync(join(directory, task), path)
      const nowSeconds = clock.now() / 1_000
      utimesSync(path, nowSeconds, nowSeconds)
      return path
    },
    delete: (task) => rmSync(join(directory, task), { recursive: true, force: true }),
    deleteAbandoned: (delayMs) => abandoned.deleteState(delayMs),
    deleteSetAside: (beforeMs) => {
      for (const name of names().filter((each) => setAsideName.test(each))) {
        const path = join(directory, name)
        if (statSync(path).mtimeMs < beforeMs) rmSync(path, { recursive: true, force: true })
      }
    },
  }
}

const taskName = /^\d+_\d+$/
const setAsideName = /^\d+_\d+\.(?:outdated|damaged)/
