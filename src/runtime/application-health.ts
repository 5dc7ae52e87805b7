import type { Fetcher } from '../kafka/fetcher.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import type { TaskId } from './assign-tasks.ts'
import type { RestoreProgress } from './restore.ts'
import type { RunningTask } from './running-task.ts'
import type { ApplicationState, RuntimeListener } from './runtime-settings.ts'

/** The health of an application, for a health check, a dashboard, an operator. */
export interface ApplicationHealth {
  readonly state: ApplicationState
  /** True while it is a member of its group and the broker answers its heartbeats. */
  readonly connected: boolean
  readonly tasks: readonly TaskId[]
  /** The tasks that run elsewhere and have a copy of their state here. */
  readonly standbyTasks: readonly StandbyHealth[]
  /** The stores that are still being filled from their changelogs. */
  readonly restoring: readonly RestoreProgress[]
  /** When something was committed last, in milliseconds since the epoch; undefined where nothing has been yet. */
  readonly lastCommitMs: number | undefined
  /** The partitions that are read here. */
  readonly inputs: readonly InputHealth[]
}

/** The lag of one standby task of this process. */
export interface StandbyHealth {
  readonly task: TaskId
  /** By how many changelog records the copy is behind. */
  readonly lag: number
}

/** The position and lag of one input partition. */
export interface InputHealth extends TopicPartition {
  readonly task: TaskId
  /** The next record to be processed. */
  readonly offset: number
  /** Records between that and the end, as of the last fetch; undefined before the first one. */
  readonly lag: number | undefined
}

export const inputHealthOf = (
  tasks: Iterable<RunningTask>,
  fetcher: Fetcher | undefined,
): readonly InputHealth[] =>
  [...tasks].flatMap(({ task, inputs }) =>
    inputs.map(({ topic, partition }) => {
      const offset = task.committableOffset(topic)
      const end = fetcher?.endOffset(topic, partition)
      const lag = end === undefined ? undefined : Math.max(0, end - offset)
      return { task: task.id, topic, partition, offset, lag }
    }),
  )

/** Remembers which stores are still being restored, as their progress passes by. */
export class RestoreBoard {
  readonly #running = new Map<string, RestoreProgress>()

  get running(): readonly RestoreProgress[] {
    return [...this.#running.values()]
  }

  /** The same listener, overheard. */
  watch(listener: RuntimeListener): RuntimeListener {
    return {
      ...listener,
      onRestore: (progress) => {
        this.#note(progress)
        listener.onRestore?.(progress)
      },
    }
  }

  /** What was under way is over: its tasks have gone elsewhere. */
  clear(): void {
    this.#running.clear()
  }

  #note(progress: RestoreProgress): void {
    const place = `${progress.store}-${progress.partition}`
    if (progress.remainingRecords === 0) this.#running.delete(place)
    else this.#running.set(place, progress)
  }
}
