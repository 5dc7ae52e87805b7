import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import { hexEncode } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { Fault, isFault } from '../../base/fault.ts'
import { StreamRecord } from '../../topic/record.ts'
import { changedRecordOf, emittedRecordOf } from '../../topology/callback-results.ts'
import { emittedTime } from '../../topology/record-times.ts'
import type { AnyRecord, EmittedRecord, NodeOf } from '../../topology/node.ts'
import type { PieceOfWork } from '../async-work.ts'
import type { NodeContext } from '../node-context.ts'
import { step } from '../step.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'
import { serialized } from '../../topic/serde.ts'

/**
 * Asynchronous work with a bound and an order.
 *
 * 1. At most `concurrency` pieces run at a time. The step takes four times as many records in hand, so that a slow key
 *    does not idle the others; then the task takes up no more records until some are done.
 * 2. Ordered by key, the work of one key runs one after another. Ordered by partition, all runs side by side and the
 *    results go on in the order the records came. Else results go on as they come.
 * 3. An attempt that throws or takes longer than `timeoutMs` is repeated, after a pause that doubles each time, until
 *    `retry.attempts` are used up; then it is the failure of the record it came from.
 */
export const interpretMapAsync: Interpreter<'mapAsync'> = (node, inputs, context) => {
  const work = new KeyedWork(node, context)
  context.onClose.push(() => work.close())
  return new Observable((subscriber) => {
    work.output = subscriber
    return step(context, node.name, onlyInput(inputs), (record) => work.add(record)).subscribe()
  })
}

/** A record on its way through the step. */
interface Job {
  readonly record: AnyRecord
  readonly piece: PieceOfWork
  readonly lane: unknown
  /** Set when the work is done; what it delivers waits for its place in the order. */
  deliver: (() => void) | undefined
}

class KeyedWork {
  output: Pick<Subscriber<AnyRecord>, 'next'> = { next: () => {} }
  readonly #node: NodeOf<'mapAsync'>
  readonly #context: NodeContext
  readonly #attempts: Attempts
  readonly #abort = new AbortController()
  /** Jobs that may run as soon as there is room. */
  readonly #startable: Job[] = []
  /** Jobs behind a running one of their lane; a lane is present as long as it is busy. */
  readonly #lanes = new Map<unknown, Job[]>()
  /** All jobs in the order they came; only kept where results go on in that order. */
  readonly #order: Job[] = []
  #running = 0
  #inHand = 0

  constructor(node: NodeOf<'mapAsync'>, context: NodeContext) {
    this.#node = node
    this.#context = context
    this.#attempts = new Attempts(node, context, this.#abort.signal)
  }

  add(record: AnyRecord): void {
    const piece = this.#context.asyncWork.begin(this.#context.source)
    const job: Job = { record, piece, lane: this.#laneOf(record), deliver: undefined }
    if (this.#node.orderedBy === 'partition') this.#order.push(job)
    this.#count(1)
    const lane = job.lane === undefined ? undefined : this.#lanes.get(job.lane)
    if (lane !== undefined) {
      lane.push(job)
      return
    }
    if (job.lane !== undefined) this.#lanes.set(job.lane, [])
    this.#startable.push(job)
    this.#startSome()
  }

  /** Work in flight is aborted, and its results go nowhere. */
  close(): void {
    this.#abort.abort()
    this.#startable.length = 0
    this.#lanes.clear()
  }

  #laneOf({ key }: AnyRecord): unknown {
    if (this.#node.orderedBy !== 'key') return undefined
    if (typeof key !== 'object' || key === null) return key ?? null
    const { key: serde } = this.#node
    return serde === undefined ? JSON.stringify(key) : hexEncode(serialized(serde, key as never))
  }

  #startSome(): void {
    while (this.#running < this.#node.concurrency && !this.#abort.signal.aborted) {
      const job = this.#startable.shift()
      if (job === undefined) return
      this.#running++
      this.#attempts.run(job.record).then(
        (emission) => this.#done(job, () => this.#emit(emission, job.record)),
        (error: unknown) => this.#done(job, () => this.#context.fail(this.#node.name, recordsOwn(error))),
      )
    }
  }

  #emit(emission: unknown, cause: AnyRecord): void {
    try {
      this.output.next(recordOf(emission, cause))
    } catch (error) {
      this.#context.fail(this.#node.name, error)
    }
  }

  #done(job: Job, deliver: () => void): void {
    if (this.#abort.signal.aborted) return
    this.#running--
    job.deliver = deliver
    this.#settle(job)
    const next = job.lane === undefined ? undefined : this.#lanes.get(job.lane)?.shift()
    if (next !== undefined) this.#startable.push(next)
    else if (job.lane !== undefined) this.#lanes.delete(job.lane)
    this.#startSome()
  }

  /** Lets results go on: this one at once, or in the order of the records all that are done up to the first that is not. */
  #settle(job: Job): void {
    const { asyncWork } = this.#context
    if (this.#node.orderedBy !== 'partition') {
      this.#count(-1)
      asyncWork.finish(job.piece, job.deliver as () => void)
      return
    }
    for (let first = this.#order[0]; first?.deliver !== undefined; first = this.#order[0]) {
      this.#order.shift()
      this.#count(-1)
      asyncWork.finish(first.piece, first.deliver)
    }
  }

  #count(change: number): void {
    this.#inHand += change
    this.#context.asyncWork.setFull(this.#node.name, this.#inHand >= this.#node.concurrency * recordsPerSlot)
  }
}

const recordsPerSlot = 4

/** The attempts at one piece of work, each with a deadline. */
class Attempts {
  readonly #node: NodeOf<'mapAsync'>
  readonly #context: NodeContext
  readonly #clock: Clock
  readonly #closed: AbortSignal

  constructor(node: NodeOf<'mapAsync'>, context: NodeContext, closed: AbortSignal) {
    this.#node = node
    this.#context = context
    this.#clock = context.host.clock
    this.#closed = closed
  }

  async run(record: AnyRecord): Promise<EmittedRecord> {
    const { attempts, backoffMs } = this.#node.retry
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(record)
      } catch (error) {
        if (attempt >= attempts || this.#closed.aborted) throw error
      }
      await this.#pause(backoffMs * 2 ** (attempt - 1))
    }
  }

  #once(record: AnyRecord): Promise<EmittedRecord> {
    const { transform, timeoutMs } = this.#node
    const controller = new AbortController()
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        cancel()
        controller.abort()
      }
      const cancel = this.#clock.setTimer(() => {
        reject(this.#tooLong())
        abort()
      }, timeoutMs)
      this.#closed.addEventListener('abort', abort, { once: true })
      const settle = (): void => {
        cancel()
        this.#closed.removeEventListener('abort', abort)
      }
      // A transform that throws before it returns its promise counts like one that rejects.
      const work = async (): Promise<EmittedRecord> => transform(record, controller.signal)
      work().then(resolve, reject).finally(settle)
    })
  }

  #pause(delayMs: number): Promise<void> {
    const { asyncWork } = this.#context
    return new Promise((resolve) => {
      // Awake from the very tick of the clock on, so that a waiting caller does not miss it.
      const wake = (): void => {
        asyncWork.sleep(false)
        this.#closed.removeEventListener('abort', wake)
        cancel()
        resolve()
      }
      const cancel = this.#clock.setTimer(wake, delayMs)
      this.#closed.addEventListener('abort', wake, { once: true })
      asyncWork.sleep(true)
    })
  }

  #tooLong(): Fault {
    return new Fault({
      code: 'ASYNC_TIMEOUT',
      actor: 'record',
      message: `asynchronous work took longer than ${this.#node.timeoutMs} ms`,
      remedy: 'raise the timeout of the step, or set processingFailure to skip or deadLetter',
      place: { node: this.#node.name },
    })
  }
}

/**
 * A fault that asks for a retry (a client of the author's own lost its broker) has had its attempts here. Passed on as it
 * is, it would start the application's work over from the last commit, again and again.
 */
const recordsOwn = (error: unknown): unknown => {
  if (!isFault(error) || error.actor !== 'retry') return error
  const { code, summary, place, cause } = error
  return new Fault({ code, actor: 'record', message: summary, place, cause: cause ?? error })
}

const maker = 'the mapper returned'

const recordOf = (emission: unknown, cause: AnyRecord): AnyRecord => {
  if (emission instanceof StreamRecord)
    return changedRecordOf(maker, emission).withTimestamp(emittedTime(emission.timestamp))
  const { key, value, timestamp, headers } = emittedRecordOf(maker, emission)
  const time = timestamp === undefined ? cause.timestamp : emittedTime(timestamp)
  return StreamRecord.of(key, value, time, headers ?? cause.headers, cause.origin)
}
