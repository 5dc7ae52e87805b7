import type { Clock } from '../base/clock.ts'
import type { Fetcher } from '../kafka/fetcher.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { EventFields, UnreadInput } from './runtime-settings.ts'
import type { RunningTask } from './running-task.ts'

export interface CatchUpOptions {
  readonly fetcher: Pick<Fetcher, 'requests' | 'endOffsetSince' | 'lag' | 'silentMs'>
  readonly clock: Clock
  /** How long wall-clock work of a task waits at most while its inputs can be read. */
  readonly timeoutMs: number
  /** A broker that has not answered for this long is away. */
  readonly silenceMs: number
  readonly onWarning: (message: string, fields?: EventFields) => void
}

interface Waiting {
  sinceMs: number
  /** Only the answer to this fetch request, or to a later one, says where an input ends. */
  fromRequest: number
  /** The ends that have been seen, by partition name. */
  readonly ends: Map<string, number>
}

/**
 * Wall-clock work (timers of sagas, punctuators, idle advance) must not overtake records that are already written: a reply
 * that came in time, while the application was away, would find its saga undone. So a task that starts, that stood
 * still, or whose inputs could not be read, first reads them up to the ends that they have at that moment.
 *
 * The ends stay fixed while a task waits, so records that keep arriving do not hold the clock up. Only a stall, or a broker
 * that is away, makes it wait for new ends, as records may have been written meanwhile.
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
    const isSilent = this.#isSilent(running)
    if (this.#done.has(running)) {
      if (!isSilent) return true
      this.#done.delete(running)
      this.#wait(running)
      return false
    }
    const waiting = this.#waiting.get(running) ?? this.#wait(running, 0)
    if (isSilent) {
      this.#renew(waiting, this.#options.clock.monotonicMs())
      return false
    }
    const unread = this.#unread(running, waiting)
    if (unread.length > 0 && !this.#isTooLate(running, waiting, unread)) return false
    this.#done.add(running)
    this.#waiting.delete(running)
    return true
  }

  /**
   * The process stood still for this long: records may have arrived meanwhile. The timeout of a task that waits already
   * goes on, unless the stall took a large part of it; many short stalls must not make the wait endless.
   */
  stalled(tasks: Iterable<RunningTask>, stalledMs: number): void {
    const { clock, timeoutMs } = this.#options
    for (const running of tasks) {
      const waiting = this.#waiting.get(running)
      if (this.#done.delete(running)) this.#wait(running)
      else if (waiting !== undefined)
        this.#renew(waiting, stalledMs * 10 > timeoutMs ? clock.monotonicMs() : waiting.sinceMs)
    }
  }

  /** The tasks were paused: what has arrived since is read before their wall-clock work runs. */
  resumed(tasks: Iterable<RunningTask>): void {
    for (const running of tasks) {
      this.#done.delete(running)
      this.#wait(running)
    }
  }

  #isSilent({ inputs }: RunningTask): boolean {
    const { fetcher, silenceMs } = this.#options
    return inputs.some(({ topic, partition }) => fetcher.silentMs(topic, partition) > silenceMs)
  }

  #wait(running: RunningTask, fromRequest = this.#options.fetcher.requests + 1): Waiting {
    const waiting = {
      sinceMs: this.#options.clock.monotonicMs(),
      fromRequest,
      ends: new Map<string, number>(),
    }
    this.#waiting.set(running, waiting)
    return waiting
  }

  /** Waits for the ends of later requests. */
  #renew(waiting: Waiting, sinceMs: number): void {
    waiting.sinceMs = sinceMs
    waiting.fromRequest = this.#options.fetcher.requests + 1
    waiting.ends.clear()
  }

  /** The inputs that are not read to their ends. */
  #unread({ task, inputs }: RunningTask, { ends, fromRequest }: Waiting): readonly UnreadInput[] {
    const { fetcher } = this.#options
    return inputs.flatMap(({ topic, partition }) => {
      const name = partitionName(topic, partition)
      const endOffset = ends.get(name) ?? fetcher.endOffsetSince(topic, partition, fromRequest)
      if (endOffset !== undefined) ends.set(name, endOffset)
      const queue = task.queue(topic)
      const isRead =
        endOffset !== undefined &&
        queue !== undefined &&
        // The second holds where an offset was reset beyond records that are gone.
        (queue.nextOffset >= endOffset || (queue.size === 0 && fetcher.lag(topic, partition) === 0))
      return isRead ? [] : [{ topic, partition, offset: queue?.nextOffset ?? 0, endOffset }]
    })
  }

  #isTooLate({ task }: RunningTask, { sinceMs }: Waiting, unread: readonly UnreadInput[]): boolean {
    const { clock, timeoutMs, onWarning } = this.#options
    if (clock.monotonicMs() - sinceMs < timeoutMs) return false
    const behind = unread.map(
      ({ topic, partition, offset, endOffset = 'an unknown end' }) =>
        `${topic}-${partition} at ${offset} of ${endOffset}`,
    )
    onWarning(
      `timers of task ${task.id} run although its inputs are not read to the ends they had ${timeoutMs} ms ago (${behind.join(', ')}); replies in between count as late: raise wallClockCatchUpTimeoutMs, or add processes`,
      { code: 'TIMERS_AHEAD', task: task.id, inputs: unread },
    )
    return true
  }
}
