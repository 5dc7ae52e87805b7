import type { RecordQueue } from '../task/record-queue.ts'
import type { Task } from '../task/task.ts'

/** A queue with records, and the task that reads it. */
export interface WaitingQueue {
  readonly task: Task
  readonly queue: RecordQueue
}

/**
 * The queues that hold records, smallest timestamp first. Among equal timestamps the order is that of Kafka Streams'
 * `PartitionGroup`, whose queues lie in a `java.util.PriorityQueue`: a binary heap without further rule, so this is the
 * same heap, and a queue goes back into it once its head is taken.
 */
export class WaitingQueues {
  readonly #heap: WaitingQueue[] = []
  #addedMeanwhile: WaitingQueue[] | undefined

  /** A queue that was empty has records. */
  add(waiting: WaitingQueue): void {
    if (this.#addedMeanwhile === undefined) this.#offer(waiting)
    else this.#addedMeanwhile.push(waiting)
  }

  /** Processes one record of the first queue whose task is ready; that task, or undefined where there is none. */
  processNext(): Task | undefined {
    const next = this.#poll()
    if (next === undefined) return undefined
    const added: WaitingQueue[] = []
    this.#addedMeanwhile = added
    try {
      next.task.process(1, next.queue)
    } finally {
      this.#addedMeanwhile = undefined
      // A queue that still has records waits again before those that got some of what was written.
      if (next.queue.size > 0 && !added.some(({ queue }) => queue === next.queue)) this.#offer(next)
      for (const waiting of added) this.#offer(waiting)
    }
    return next.task
  }

  #poll(): WaitingQueue | undefined {
    const first = this.#pollAny()
    if (first === undefined || first.task.isReady) return first
    const ready = this.#poll()
    this.#offer(first)
    return ready
  }

  #offer(waiting: WaitingQueue): void {
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as WaitingQueue
      if (timeOf(waiting) >= timeOf(above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = waiting
  }

  #pollAny(): WaitingQueue | undefined {
    const first = this.#heap[0]
    const last = this.#heap.pop()
    if (last !== undefined && this.#heap.length > 0) this.#siftDown(last)
    return first
  }

  #siftDown(waiting: WaitingQueue): void {
    const heap = this.#heap
    let at = 0
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      const right = child + 1
      if (right < heap.length && timeOf(heap[child]) > timeOf(heap[right])) child = right
      if (timeOf(waiting) <= timeOf(heap[child])) break
      heap[at] = heap[child] as WaitingQueue
      at = child
    }
    heap[at] = waiting
  }
}

const timeOf = (waiting: WaitingQueue | undefined): number => waiting?.queue.headTimestamp ?? Infinity
