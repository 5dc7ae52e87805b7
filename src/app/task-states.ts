import type { Stats } from 'node:fs'
import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { lmdbFiles } from '../state/lmdb-environment.ts'

/** The name of the folder with the state of a task. */
export const isTaskName = (name: string): boolean => /^\d+_\d+$/.test(name)

/** The name of a folder with state of a task that was set aside. */
export const isSetAsideName = (name: string): boolean => /^\d+_\d+\.(?:outdated|damaged)(?:-\d+)?$/.test(name)

/**
 * True for a folder that holds the state of a task and nothing else. What a folder's name promises is not enough to delete
 * it: files of others in it, or a symbolic link in its place, are left alone.
 */
export const isTaskState = (path: string): boolean => isDirectory(path) && strangersInTask(path).length === 0

/** What lies in the folder of a task and was not written as its state. */
export const strangersInTask = (path: string): readonly string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => !entry.isFile() || !lmdbFiles.has(entry.name))
    .map(({ name }) => name)

/** Deletes the state of a task; a folder with anything else in it stays as it is. */
export const deleteTaskState = (path: string): void => {
  if (isTaskState(path)) rmSync(path, { recursive: true, force: true })
}

/** False for a symbolic link, wherever it leads. */
export const isDirectory = (path: string): boolean => statusOf(path)?.isDirectory() === true

/** Of the path itself, also where it is a symbolic link; undefined where nothing is there. */
export const statusOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })
