import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { largestOf } from '../base/extremes.ts'
import type { Clock } from '../base/clock.ts'
import { holderOfDirectory, lockDirectory } from '../files/directory-lock.ts'
import { slotsIn } from './state-directory.ts'
import { deleteTaskState, isSetAsideName, isTaskName, isTaskState } from './task-states.ts'

/**
 * The other slots of the state directory that no process holds: an application once ran here with more processes or threads.
 * Their state is deleted when no process has held or written the slot for the delay, seen from this process. The slot and its
 * process id stay.
 */
export class AbandonedSlots {
  readonly #root: string
  readonly #own: string
  readonly #clock: Clock
  readonly #freeSinceMs = new Map<string, number>()

  constructor(ownSlot: string, clock: Clock) {
    this.#root = dirname(ownSlot)
    this.#own = basename(ownSlot)
    this.#clock = clock
  }

  async deleteState(delayMs: number): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    for (const name of slotsIn(this.#root)) {
      if (name === this.#own) continue
      const slot = join(this.#root, name)
      if (stateIn(slot).length === 0 || (await holderOfDirectory(slot)) !== undefined) {
        this.#freeSinceMs.delete(name)
        continue
      }
      const sinceMs = this.#freeSinceMs.get(name) ?? nowMs
      this.#freeSinceMs.set(name, sinceMs)
      if (nowMs - sinceMs < delayMs || this.#clock.now() - lastWriteMs(slot) < delayMs) continue
      this.#freeSinceMs.delete(name)
      await deleteUnlessTaken(slot)
    }
  }
}

/** The state of tasks, also where it was set aside. */
const stateIn = (slot: string): readonly string[] =>
  readdirSync(slot)
    .filter((name) => isTaskName(name) || isSetAsideName(name))
    .map((name) => join(slot, name))
    .filter(isTaskState)

const lastWriteMs = (slot: string): number =>
  largestOf(
    stateIn(slot).flatMap((folder) =>
      [folder, ...readdirSync(folder).map((file) => join(folder, file))].map(
        (path) => statSync(path).mtimeMs,
      ),
    ),
  )

/** A process that starts at this moment keeps the slot. */
const deleteUnlessTaken = async (slot: string): Promise<void> => {
  const lock = await lockDirectory(slot)
  if (lock.kind === 'taken') return
  try {
    for (const folder of stateIn(slot)) deleteTaskState(folder)
  } finally {
    lock.release()
  }
}
