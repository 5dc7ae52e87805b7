import { Heap } from '../base/heap.ts'
import type { RecordQueue } from '../task/record-queue.ts'
import type { Task } from '../task/task.ts'

/** A queue with records, and the task that reads it. */
export interface WaitingQueue {
  readonly task: Task
  readonly queue: RecordQueue
}

/**
 * The queues that hold records, smallest timestamp first. Among equal timestamps the order is that of Kafka Streams'
 * `PartitionGroup`, whose queues lie in such a heap, too: a queue goes back into it once its head is taken.
 */
export class WaitingQueues {
  readonly #heap = new Heap<WaitingQueue>((left, right) => timeOf(left) - timeOf(right))
  #addedMeanwhile: WaitingQueue[] | undefined

  /** A queue that was empty has records. */
  add(waiting: WaitingQueue): void {
    if (this.#addedMeanwhile === undefined) this.#heap.add(waiting)
    else this.#addedMeanwhile.push(waiting)
  }

  /** Processes one record of the first queue whose task is ready; that task, or undefined where there is none. */
  processNext(): Task | undefined {
    const next = this.#poll()
    if (next === undefined) return undefined
    const added: WaitingQueue[] = []
    this.#addedMeanwhile = added
    try {
      next.task.process(1, undefined, next.queue)
    } finally {
      this.#addedMeanwhile = undefined
      // A queue that still has records waits again before those that got some of what was written.
      if (next.queue.size > 0 && !added.some(({ queue }) => queue === next.queue)) this.#heap.add(next)
      for (const waiting of added) this.#heap.add(waiting)
    }
    return next.task
  }

  /** The first whose task is ready; those before it wait on. */
  #poll(): WaitingQueue | undefined {
    const first = this.#heap.take()
    if (first === undefined || first.task.isReady) return first
    const ready = this.#poll()
    this.#heap.add(first)
    return ready
  }
}

const timeOf = ({ queue }: WaitingQueue): number => queue.headTimestamp
