import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'

export interface StoreReadOptions {
  /** True for a read that may see only what is committed. */
  readonly committed: boolean
  /**
   * A read that waited longer is not run: its caller has timed out. One with 0 runs if its store can be read at once.
   * Defaults to no limit.
   */
  readonly timeoutMs?: number | undefined
  /** Makes ready for the read until `isOver`, in as many calls as it takes; true once it is done. */
  readonly prepare?: (isOver: () => boolean) => boolean
}

/**
 * Reads of stores from outside their tasks. They share the thread with records and heartbeats, so one iteration of the
 * event loop gives them `readBudgetMs` and the read that is running then, and the same again to prepare reads. The others
 * wait in order, at most `mostWaitingReads` of them: one more is refused.
 *
 * A store holds what its task has done since the last commit too. A committed read therefore waits for the next moment
 * without any: at once where there is none now, else at the end of the commit, before the next record is processed. That
 * is at most a commit interval away under load, and nothing is kept twice.
 */
export class StoreReads {
  readonly #clock: Clock
  readonly #isClean: () => boolean
  #committed: WaitingRead[] = []
  #uncommitted: WaitingRead[] = []
  /** Reads that something is to be prepared for; none of them holds up another that is ready. */
  #preparing: WaitingRead[] = []
  #arrivals = 0
  /** When the budget of this iteration of the event loop ends; undefined where it has read nothing yet. */
  #untilMs: number | undefined

  constructor(clock: Clock, isClean: () => boolean) {
    this.#clock = clock
    this.#isClean = isClean
  }

  run<T>(read: () => T, { committed, timeoutMs = Infinity, prepare }: StoreReadOptions): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    if (this.#isFull()) return Promise.reject(tooManyReads())
    if (timeoutMs <= 0 && committed && !this.#isClean()) return Promise.reject(storeNotCommitted())
    const lateMs = this.#clock.monotonicMs() + (timeoutMs > 0 ? timeoutMs : momentMs)
    const run = (): void => resolve(read())
    const waiting: WaitingRead = { run, reject, lateMs, committed, prepare, arrival: ++this.#arrivals }
    if (isPrepared(waiting, () => true)) this.#queueOf(waiting).push(waiting)
    else this.#preparing.push(waiting)
    this.#readNow()
    return promise
  }

  /** Everything is committed, or what was not is gone: waiting reads run within this very call. */
  release(): void {
    this.#untilMs = undefined
    if (this.#waiting > 0) this.#readNow()
  }

  get #waiting(): number {
    return this.#committed.length + this.#uncommitted.length + this.#preparing.length
  }

  #readNow(): void {
    const nowMs = this.#clock.monotonicMs()
    if (this.#untilMs === undefined) {
      this.#untilMs = nowMs + readBudgetMs
      setImmediate(() => this.#nextIteration())
    }
    const untilMs = this.#untilMs
    for (let now = nowMs; now < untilMs; now = this.#clock.monotonicMs()) {
      const next = this.#take()
      if (next === undefined) return
      attempt(next, now)
    }
  }

  /** The read that came first, of those that may run now. */
  #take(): WaitingRead | undefined {
    const [uncommitted] = this.#uncommitted
    const committed = this.#isClean() ? this.#committed[0] : undefined
    const isCommittedFirst = (committed?.arrival ?? Infinity) < (uncommitted?.arrival ?? Infinity)
    return isCommittedFirst ? this.#committed.shift() : this.#uncommitted.shift()
  }

  #nextIteration(): void {
    this.#untilMs = undefined
    this.#prepare()
    const mayRead = this.#uncommitted.length > 0 || (this.#committed.length > 0 && this.#isClean())
    if (mayRead || this.#preparing.length > 0) this.#readNow()
  }

  #prepare(): void {
    const untilMs = this.#clock.monotonicMs() + readBudgetMs
    const isOver = (): boolean => this.#clock.monotonicMs() >= untilMs
    this.#preparing = withoutLate(this.#preparing, this.#clock.monotonicMs())
    for (;;) {
      const [first] = this.#preparing
      if (first === undefined || !isPrepared(first, isOver)) return
      this.#preparing.shift()
      this.#queueOf(first).push(first)
    }
  }

  #queueOf({ committed }: WaitingRead): WaitingRead[] {
    return committed ? this.#committed : this.#uncommitted
  }

  #isFull(): boolean {
    if (this.#waiting < mostWaitingReads) return false
    const nowMs = this.#clock.monotonicMs()
    this.#committed = withoutLate(this.#committed, nowMs)
    this.#uncommitted = withoutLate(this.#uncommitted, nowMs)
    return this.#waiting >= mostWaitingReads
  }
}

interface WaitingRead {
  readonly committed: boolean
  readonly prepare: StoreReadOptions['prepare']
  readonly run: () => void
  readonly reject: (error: unknown) => void
  readonly lateMs: number
  readonly arrival: number
}

/** Of the thread's time in one iteration of its event loop. */
const readBudgetMs = 5
export const mostWaitingReads = 1_000
/** A read that does not wait for a commit still waits for its turn in the thread. */
const momentMs = 500

const attempt = ({ run, reject, lateMs }: WaitingRead, nowMs: number): void => {
  if (nowMs > lateMs) return reject(lateRead())
  try {
    run()
  } catch (error) {
    reject(error)
  }
}

/** A read that cannot be prepared fails when it runs. */
const isPrepared = ({ prepare }: WaitingRead, isOver: () => boolean): boolean => {
  try {
    return prepare?.(isOver) ?? true
  } catch {
    return true
  }
}

const withoutLate = (reads: WaitingRead[], nowMs: number): WaitingRead[] => {
  for (const { reject, lateMs } of reads) if (nowMs > lateMs) reject(lateRead())
  return reads.filter(({ lateMs }) => nowMs <= lateMs)
}

const tooManyReads = (): Fault =>
  new Fault({
    code: 'QUERIES_OVERLOADED',
    actor: 'retry',
    message: `${mostWaitingReads} reads of stores wait in this thread already`,
    remedy: 'ask again later, or run more threads or processes, among which stores and reads are spread',
  })

const storeNotCommitted = (): Fault =>
  new Fault({
    code: 'STORE_NOT_READY',
    actor: 'retry',
    message: 'the store holds what is not committed yet',
    remedy: 'ask again, or with isolation read_uncommitted',
  })

const lateRead = (): Fault =>
  new Fault({ code: 'STORE_NOT_READY', actor: 'retry', message: 'the read waited longer than its timeout' })
