import type { Clock } from '../base/clock.ts'
import { sleep } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { TimeSlice } from '../base/time-slice.ts'
import type { Fetcher } from '../kafka/fetcher.ts'
import type { FetchedBatch } from '../kafka/fetch/fetched-batch.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import { isRetriableFault } from '../kafka/protocol-errors.ts'
import { nameOfPartition } from '../kafka/topic-partition.ts'
import type { ApplicationPlan } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import type { InputStart } from './input-starts.ts'
import type { RunningTask } from './running-task.ts'
import type { RuntimeSettings } from './runtime-settings.ts'
import type { TaskFactory } from './task-factory.ts'

export interface TaskRegistryOptions {
  readonly planOf: () => ApplicationPlan
  readonly clock: Clock
  readonly settings: Pick<RuntimeSettings, 'maxPollDurationMs'>
  readonly fetcher: Pick<Fetcher, 'add' | 'remove'>
  readonly tasks: Pick<TaskFactory, 'open' | 'refuseTooMany'>
  readonly startsOf: (inputs: readonly TopicPartition[]) => Promise<Starts>
  /** A task has begun, or one is being opened. */
  readonly onChange: () => void
  readonly onTaskEnd: (task: TaskId, offsets: ReadonlyMap<string, number>) => void
  readonly onWarning: (message: string) => void
  /** A task that can't be opened. */
  readonly onFailure: (error: unknown) => void
}

type Starts = ReadonlyMap<string, InputStart>

interface Opening {
  readonly inputs: readonly TopicPartition[]
  readonly stop: AbortController
  readonly done: Promise<void>
}

/**
 * The tasks of one member: those that run, and those that are being opened in the background while the others run. Each
 * begins by itself when its stores are at the end of their changelogs, between two steps of the loop, so none waits for
 * another.
 *
 * Every beginning has a number, which its fetched batches carry: what was fetched before a task was given up is not
 * taken for its next beginning, wherever it has been in between.
 */
export class TaskRegistry {
  readonly #options: TaskRegistryOptions
  readonly #running = new Map<TaskId, RunningTask>()
  readonly #readers = new Map<string, { readonly running: RunningTask; readonly epoch: number }>()
  readonly #opening = new Map<TaskId, Opening>()
  readonly #slice: TimeSlice
  #epoch = 0

  constructor(options: TaskRegistryOptions) {
    this.#options = options
    this.#slice = new TimeSlice(options.clock, options.settings.maxPollDurationMs)
  }

  get running(): ReadonlyMap<TaskId, RunningTask> {
    return this.#running
  }

  /** Those that run and those that are being opened. */
  get ids(): readonly TaskId[] {
    return [...this.#running.keys(), ...this.#opening.keys()]
  }

  get isOpening(): boolean {
    return this.#opening.size > 0
  }

  /** Those that read any of these partitions, of what is open and of further tasks. */
  readersOf(partitions: readonly TopicPartition[], further: readonly TaskId[]): readonly TaskId[] {
    const names = new Set(partitions.map(nameOfPartition))
    const plan = this.#options.planOf()
    const inputsOf = (id: TaskId): readonly TopicPartition[] => this.#openInputsOf(id) ?? plan.inputsOf(id)
    const ids = [...new Set([...this.ids, ...further])]
    return ids.filter((id) => inputsOf(id).some((input) => names.has(nameOfPartition(input))))
  }

  /** The tasks whose inputs are others by now than when they were opened. */
  get outdated(): readonly TaskId[] {
    const plan = this.#options.planOf()
    return this.ids.filter((id) => namesOf(this.#openInputsOf(id) ?? []) !== namesOf(plan.inputsOf(id)))
  }

  /** Hands a batch to its task; one of an earlier beginning is let go. */
  deliver(batch: FetchedBatch): void {
    const reader = this.#readers.get(nameOfPartition(batch))
    if (reader?.epoch === batch.generation) reader.running.deliver(batch)
  }

  /** Opens tasks in the background: where their inputs go on is asked first, as that waits for pending transactions. */
  open(ids: readonly TaskId[]): void {
    if (ids.length === 0) return
    const plan = this.#options.planOf()
    const starts = this.#startsOf(ids)
    for (const id of ids) {
      const stop = new AbortController()
      const inputs = plan.inputsOf(id)
      const done = this.#openUntilDone(id, inputs, starts, stop.signal).finally(() =>
        this.#opening.delete(id),
      )
      this.#opening.set(id, { inputs, stop, done })
    }
    this.#options.onChange()
  }

  /** Takes no more records for these tasks, and lets go of those that wait. */
  stopReading(ids: readonly TaskId[]): void {
    for (const id of ids) {
      const running = this.#running.get(id)
      if (running === undefined) continue
      for (const input of running.inputs) this.#readers.delete(nameOfPartition(input))
      this.#options.fetcher.remove(running.inputs)
      for (const queue of running.task.queues) queue.clear()
    }
  }

  /** Closes tasks, or stops their opening; resolves when their stores are closed. */
  async close(ids: readonly TaskId[]): Promise<void> {
    const ended = ids.map((id) => {
      const opening = this.#opening.get(id)
      opening?.stop.abort()
      return opening?.done ?? this.#end(id)
    })
    await Promise.all(ended)
  }

  closeAll(): Promise<void> {
    return this.close(this.ids)
  }

  /** Tasks that the process can't have open together are refused before the first of them is opened. */
  async #startsOf(ids: readonly TaskId[]): Promise<Starts> {
    this.#options.tasks.refuseTooMany(ids)
    const plan = this.#options.planOf()
    return this.#options.startsOf(ids.flatMap((id) => plan.inputsOf(id)))
  }

  async #openUntilDone(
    id: TaskId,
    inputs: readonly TopicPartition[],
    asked: Promise<Starts>,
    signal: AbortSignal,
  ): Promise<void> {
    for (let starts = asked; !signal.aborted; starts = this.#options.startsOf(inputs)) {
      try {
        await this.#open(id, starts, signal)
        return
      } catch (error) {
        if (signal.aborted) return
        if (!isRetriableFault(error)) {
          this.#options.onFailure(error)
          return
        }
        this.#options.onWarning(error.message)
        await sleep(this.#options.clock, retryPauseMs, signal)
      }
    }
  }

  async #open(id: TaskId, asked: Promise<Starts>, signal: AbortSignal): Promise<void> {
    const starts = await unlessAborted(asked, signal)
    if (starts === undefined) return
    const running = await this.#options.tasks.open(id, (place) => starts.get(place)?.offset, signal)
    if (running === undefined) return
    if (signal.aborted) {
      await running.close()
      return
    }
    this.#opening.delete(id)
    this.#begin(running, starts)
    this.#options.onChange()
  }

  #begin(running: RunningTask, starts: Starts): void {
    const { inputs, task } = running
    const epoch = ++this.#epoch
    const positions = inputs.map((input) => {
      if (task.queue(input.topic) === undefined) throw unreadInput(task.id, input)
      const start = starts.get(nameOfPartition(input)) ?? noStart
      running.begin(input, start)
      this.#readers.set(nameOfPartition(input), { running, epoch })
      return { ...input, offset: start.offset, topicId: start.topicId }
    })
    this.#running.set(task.id, running)
    this.#options.fetcher.add(positions, epoch)
  }

  async #end(id: TaskId): Promise<void> {
    const running = this.#running.get(id)
    if (running === undefined) return
    this.stopReading([id])
    this.#running.delete(id)
    this.#options.onTaskEnd(id, running.changelogOffsets)
    while (this.#slice.check()) await this.#slice.next()
    await running.close()
  }

  #openInputsOf(id: TaskId): readonly TopicPartition[] | undefined {
    return this.#running.get(id)?.inputs ?? this.#opening.get(id)?.inputs
  }
}

const retryPauseMs = 100

const noStart: InputStart = { offset: 0, metadata: null }

const namesOf = (inputs: readonly TopicPartition[]): string => inputs.map(nameOfPartition).sort().join()

/** What a promise brings; undefined at once where the signal comes first. */
const unlessAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> => {
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  return Promise.race([promise, aborted])
}

const unreadInput = (task: TaskId, { topic, partition }: TopicPartition): Fault =>
  new Fault({
    code: 'TASK_TOPIC_UNKNOWN',
    actor: 'runtime',
    message: `task ${task} was given an input it does not read`,
    place: { topic, partition },
  })
