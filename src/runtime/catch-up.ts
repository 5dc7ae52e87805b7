import type { Clock } from '../base/clock.ts'
import type { Fetcher } from '../kafka/fetcher.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { EventFields } from './runtime-settings.ts'
import type { RunningTask } from './running-task.ts'

export interface CatchUpOptions {
  readonly fetcher: Pick<Fetcher, 'requests' | 'endOffsetSince' | 'lag'>
  readonly clock: Clock
  /** How long wall-clock work of a task waits at most. */
  readonly timeoutMs: number
  readonly onWarning: (message: string, fields?: EventFields) => void
}

interface Waiting {
  readonly sinceMs: number
  /** Only the answer to this fetch request, or to a later one, says where an input ends. */
  readonly fromRequest: number
  /** The ends that have been seen, by partition name. */
  readonly ends: Map<string, number>
}

/**
 * Wall-clock work (timers of sagas, punctuators, idle advance) must not overtake records that are already written: a reply
 * that came in time, while the application was away, would find its saga undone. So a task that starts, or that stood
 * still, first reads its inputs up to the ends that they have at that moment.
 *
 * The ends stay fixed while a task waits, so records that keep arriving do not hold the clock up.
 */
export class CatchUp {
  readonly #options: CatchUpOptions
  readonly #done = new WeakSet<RunningTask>()
  readonly #waiting = new WeakMap<RunningTask, Waiting>()

  constructor(options: CatchUpOptions) {
    this.#options = options
  }

  /** True where the wall-clock work of a task may run. A task that is new here waits first. */
  isDone(running: RunningTask): boolean {
    if (this.#done.has(running)) return true
    const waiting = this.#waiting.get(running) ?? this.#wait(running, 0)
    if (!this.#isAtEnds(running, waiting) && !this.#isTooLate(running, waiting)) return false
    this.#done.add(running)
    this.#waiting.delete(running)
    return true
  }

  /** The process stood still: records may have arrived meanwhile. A task that waits already keeps its ends. */
  stalled(tasks: Iterable<RunningTask>): void {
    for (const running of tasks) if (this.#done.delete(running)) this.#wait(running)
  }

  /** The tasks were paused: what has arrived since is read before their wall-clock work runs. */
  resumed(tasks: Iterable<RunningTask>): void {
    for (const running of tasks) {
      this.#done.delete(running)
      this.#wait(running)
    }
  }

  #wait(running: RunningTask, fromRequest = this.#options.fetcher.requests + 1): Waiting {
    const waiting = { sinceMs: this.#options.clock.now(), fromRequest, ends: new Map<string, number>() }
    this.#waiting.set(running, waiting)
    return waiting
  }

  #isAtEnds({ task, inputs }: RunningTask, { ends, fromRequest }: Waiting): boolean {
    const { fetcher } = this.#options
    let isAtEnds = true
    for (const { topic, partition } of inputs) {
      const name = partitionName(topic, partition)
      const end = ends.get(name) ?? fetcher.endOffsetSince(topic, partition, fromRequest)
      if (end !== undefined) ends.set(name, end)
      const queue = task.queue(topic)
      const isRead =
        end !== undefined &&
        queue !== undefined &&
        // The second holds where an offset was reset beyond records that are gone.
        (queue.nextOffset >= end || (queue.size === 0 && fetcher.lag(topic, partition) === 0))
      isAtEnds &&= isRead
    }
    return isAtEnds
  }

  #isTooLate({ task, inputs }: RunningTask, { sinceMs, ends }: Waiting): boolean {
    const { clock, timeoutMs, onWarning } = this.#options
    if (clock.now() - sinceMs < timeoutMs) return false
    const behind = inputs.map(({ topic, partition }) => {
      const end = ends.get(partitionName(topic, partition)) ?? 'an unknown end'
      return `${topic}-${partition} at ${task.queue(topic)?.nextOffset ?? 0} of ${end}`
    })
    onWarning(
      `timers of task ${task.id} run although its inputs are not read to the ends they had ${timeoutMs} ms ago (${behind.join(', ')}); replies in between count as late: raise wallClockCatchUpTimeoutMs, or add processes`,
      { task: task.id },
    )
    return true
  }
}
