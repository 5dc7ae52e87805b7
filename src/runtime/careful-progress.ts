import { Fault } from '../base/fault.ts'
import type { TimeSlice } from '../base/time-slice.ts'
import { nameOfPartition, partitionName } from '../kafka/topic-partition.ts'
import type { RunningTask } from './running-task.ts'

export interface CarefulProgressSettings {
  readonly transactionTimeoutMs: number
  readonly sessionTimeoutMs: number
}

/**
 * Bounds how often records are processed again because processing them took too long.
 *
 * 1. Work that outlasted `transactionTimeoutMs`, or `sessionTimeoutMs` where the group removed this member, is repeated from
 *    the last commit. Its records are then processed and committed one by one, so those that are fast get through.
 * 2. A record that is lost in this way `maxAttempts` times in a row fails instead of being processed again.
 *
 * A broker that is away adds to no count: the time of the commit itself is not counted.
 */
export class CarefulProgress {
  readonly #settings: CarefulProgressSettings
  #workBeganMs: number | undefined
  #workEndedMs: number | undefined
  /** Input partitions whose records are processed one by one, with the offset where that ends. */
  readonly #upTo = new Map<string, number>()
  /** How often the record at the committed offset of an input partition was lost in a row. */
  readonly #losses = new Map<string, Loss>()

  constructor(settings: CarefulProgressSettings) {
    this.#settings = settings
  }

  /** True while the records of work that was lost are processed one by one. */
  get isOneByOne(): boolean {
    return this.#upTo.size > 0
  }

  /** Something was processed, from this time on. */
  began(beganMs: number): void {
    this.#workBeganMs ??= beganMs
  }

  /** Processes one record of one task: of those that were lost if one is there, of any other task if not. */
  processOne(tasks: Iterable<RunningTask>, slice?: TimeSlice): number {
    const ready = [...tasks].filter(({ task }) => task.isReady)
    const lost = ready.find((each) => each.inputs.some((input) => this.#upTo.has(nameOfPartition(input))))
    const next = lost ?? ready[0]
    if (next === undefined) return 0
    const loss = this.#lossOf(next)
    return loss !== undefined && loss.count >= maxAttempts
      ? next.task.failNext(lostTooOften(loss))
      : next.task.process(1, slice)
  }

  /** Processing is over; what follows is the commit. */
  worked(nowMs: number): void {
    this.#workEndedMs = nowMs
  }

  /** Everything processed is committed. */
  committed(tasks: Iterable<RunningTask>): void {
    this.forgetWork()
    if (!this.isOneByOne) return
    for (const each of tasks)
      for (const { topic, partition } of each.inputs) {
        const name = partitionName(topic, partition)
        if ((each.committedOffset(topic, partition) ?? 0) >= (this.#upTo.get(name) ?? Infinity)) {
          this.#upTo.delete(name)
          this.#losses.delete(name)
        }
      }
  }

  /** What was processed since the last commit is lost, for this reason. */
  lost(reason: Fault, tasks: Iterable<RunningTask>, nowMs: number): void {
    const workedMs = (this.#workEndedMs ?? nowMs) - (this.#workBeganMs ?? nowMs)
    const cause = this.#causeOf(reason)
    if (cause === undefined || workedMs < this.#settings[cause]) return
    const spans = [...tasks].flatMap((each) => each.uncommitted())
    const isOneRecord =
      this.isOneByOne || (spans.length === 1 && spans[0]?.offset === (spans[0]?.upTo ?? 0) - 1)
    for (const { topic, partition, offset, upTo } of spans) {
      const name = partitionName(topic, partition)
      this.#upTo.set(name, Math.max(upTo, this.#upTo.get(name) ?? 0))
      const before = this.#losses.get(name)
      const count = before?.offset === offset ? before.count : 0
      if (isOneRecord) this.#losses.set(name, { offset, count: count + 1, cause, workedMs, reason })
    }
  }

  /** The next slice begins new work. */
  forgetWork(): void {
    this.#workBeganMs = undefined
    this.#workEndedMs = undefined
  }

  #causeOf({ code }: Fault): Loss['cause'] | undefined {
    if (code === 'TRANSACTION_TIMED_OUT') return 'transactionTimeoutMs'
    return removedFromGroup.has(code) ? 'sessionTimeoutMs' : undefined
  }

  /** The loss of the record that the task takes next. */
  #lossOf(running: RunningTask): Loss | undefined {
    const next = running.task.nextInput
    if (next === undefined) return undefined
    const loss = this.#losses.get(partitionName(next.topic, next.partition))
    return loss?.offset === running.committedOffset(next.topic, next.partition) ? loss : undefined
  }
}

interface Loss {
  readonly offset: number
  readonly count: number
  readonly cause: 'transactionTimeoutMs' | 'sessionTimeoutMs'
  readonly workedMs: number
  readonly reason: Fault
}

const maxAttempts = 3

const removedFromGroup = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'])

const lostTooOften = ({ count, cause, workedMs, reason }: Loss): Fault =>
  new Fault({
    code: 'RECORD_TOO_SLOW',
    actor: 'record',
    message: `the record was processed ${count} times, and each time it took longer than ${cause} allows (${workedMs} ms the last time), so nothing could be committed`,
    remedy: `make its processing faster, raise ${cause}, or set processingFailure to skip or deadLetter`,
    cause: reason,
  })
