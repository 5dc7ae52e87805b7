import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { LmdbEnvironment } from '../state/lmdb-environment.ts'

/**
 * How far the stores of each task below a worker's folder have come, as they noted it beside their rows. What can't be
 * read is left out: it is set aside and restored when its task begins.
 */
export const readStoredOffsets = async (
  directory: string,
): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> => {
  const tasks = existsSync(directory) ? readdirSync(directory).filter((name) => /^\d+_\d+$/.test(name)) : []
  const stored = new Map<string, ReadonlyMap<string, number>>()
  for (const task of tasks) {
    const offsets = await LmdbEnvironment.readOffsets(join(directory, task))
    if (offsets !== undefined) stored.set(task, offsets)
  }
  return stored
}
