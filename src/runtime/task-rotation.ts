import type { TimeSlice } from '../base/time-slice.ts'
import type { TaskId } from './assign-tasks.ts'
import type { RunningTask } from './running-task.ts'

/**
 * Visits tasks until a time slice is over. The next visit begins with the task at which this one ended, so that none waits
 * while others have several slices.
 */
export class TaskRotation {
  #first: TaskId | undefined

  /** Returns whether the time sufficed for all. */
  visit(
    tasks: ReadonlyMap<TaskId, RunningTask>,
    slice: TimeSlice,
    work: (running: RunningTask) => void,
  ): boolean {
    const ids = [...tasks.keys()]
    const first = this.#first === undefined ? 0 : Math.max(0, ids.indexOf(this.#first))
    this.#first = undefined
    for (let count = 0; count < ids.length; count++) {
      const id = ids[(first + count) % ids.length] as TaskId
      if (slice.isOver) {
        this.#first = id
        return false
      }
      const running = tasks.get(id)
      if (running !== undefined) work(running)
    }
    return !slice.isOver
  }
}
