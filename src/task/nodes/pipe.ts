import { Observable, Subscription } from 'rxjs'
import type { OperatorFunction, Subscriber } from 'rxjs'
import { Fault, isFault, messageOf } from '../../base/fault.ts'
import { takeRejection } from '../../base/promises.ts'
import { shown } from '../../base/shown.ts'
import { hasFunctions } from '../../base/value-kinds.ts'
import type { RecordOrigin } from '../../topic/record.ts'
import { StreamRecord } from '../../topic/record.ts'
import { changedRecordOf, emittedRecordOf, resultOf } from '../../topology/callback-results.ts'
import type { AnyRecord, NodeOf } from '../../topology/node.ts'
import { emittedTime } from '../../topology/record-times.ts'
import type { NodeContext } from '../node-context.ts'
import { step } from '../step.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'
import { PendingOperators } from './pending-operators.ts'
import type { ConsumerGuard } from './piped-observable.ts'
import { PipedObservable } from './piped-observable.ts'

/**
 * Synchronous RxJS operators of the author's own. Nothing of RxJS's rules may lose a record or end the process:
 *
 * 1. An error ends the pipeline. It is the failure of the record at hand, and the next record finds a new pipeline.
 * 2. So does completion (`take`, `first`), as the pipeline would drop all that comes after.
 * 3. What is emitted, or fails, while no record is being processed comes from a timer or a promise. It fails the task
 *    through its next step, so nothing is committed any more.
 * 4. A record may wait in an operator for a timer or a promise. The commit looks whether an operator waits for one, and
 *    fails before the record's offset is committed.
 */
export const interpretPipe: Interpreter<'pipe'> = (node, inputs, context) =>
  new Observable<AnyRecord>((subscriber) => {
    const pipeline = new Pipeline(node, context, subscriber)
    context.beforeCommit.push(() => {
      pipeline.refusePending()
      return true
    })
    const input = step(context, node.name, onlyInput(inputs), (record) =>
      pipeline.process(record),
    ).subscribe()
    return () => {
      input.unsubscribe()
      pipeline.close()
    }
  })

class Pipeline {
  readonly #node: NodeOf<'pipe'>
  readonly #context: NodeContext
  readonly #output: Subscriber<AnyRecord>
  readonly #entry = new Entry(() => this.#entered())
  #running: Running | undefined
  /** The record in the pipeline now. */
  #cause: AnyRecord | undefined
  #hasEmitted = false
  /** The first record since the last commit that brought no emission, else the last one that came. */
  #suspect: AnyRecord | undefined
  #isSilent = false

  constructor(node: NodeOf<'pipe'>, context: NodeContext, output: Subscriber<AnyRecord>) {
    this.#node = node
    this.#context = context
    this.#output = output
    try {
      this.#running = this.#build()
    } catch (error) {
      context.failOutsideTurn(node.name, error)
    }
  }

  process(record: AnyRecord): void {
    this.#cause = record
    this.#hasEmitted = false
    try {
      this.#running ??= this.#build()
      this.#entry.next(this.#node.verb === 'pipe' ? record : record.value)
    } catch (error) {
      this.#context.fail(this.#node.name, error)
    }
    if (!this.#isSilent) this.#suspect = record
    if (!this.#hasEmitted) this.#isSilent = true
    this.#cause = undefined
  }

  /** Called within the turn of a commit. */
  refusePending(): void {
    const suspect = this.#suspect
    this.#suspect = undefined
    this.#isSilent = false
    if (suspect !== undefined && this.#running?.pending.isAny === true)
      this.#context.fail(this.#node.name, operatorWaits(suspect.origin))
  }

  close(): void {
    this.#running?.subscription.unsubscribe()
  }

  #build(): Running | undefined {
    const { operators } = this.#node
    let isOver = false
    const end = (fault: unknown): void => {
      isOver = true
      this.#running = undefined
      this.#fail(fault)
    }
    const guard: ConsumerGuard = {
      threw: (error) => this.#fail(error),
      leftUnhandled: (error) => {
        this.#running?.subscription.unsubscribe()
        end(error)
      },
    }
    const guardedSource = (source: Observable<unknown>): Observable<unknown> =>
      source instanceof PipedObservable
        ? source
        : new PipedObservable(guard, (subscriber) => source.subscribe(subscriber))
    const output = operators.reduce(
      (source, operator) => guardedSource(applied(operator, source)),
      guardedSource(this.#entry),
    )
    const subscription = output.subscribe({
      next: (emission) => this.#emit(emission),
      error: (error: unknown) => end(error),
      complete: () => end(this.#cause === undefined ? completedOutsideTurn() : pipelineCompleted()),
    })
    if (!isOver && !this.#entry.hasFollowers) end(notListening())
    if (!isOver) return { subscription, pending: new PendingOperators(subscription) }
    subscription.unsubscribe()
    return undefined
  }

  /** An operator subscribes again while a record is under way: `retry` has dropped that record with its error. */
  #entered(): void {
    if (this.#cause !== undefined && this.#running !== undefined && !this.#hasEmitted)
      this.#fail(recordRetried())
  }

  #emit(emission: unknown): void {
    this.#hasEmitted = true
    const { failure } = this.#context
    if (this.#cause === undefined) return this.#fail(emissionOutsideTurn())
    if (failure !== undefined) return
    try {
      this.#output.next(this.#recordOf(emission, this.#cause))
    } catch (error) {
      this.#fail(error)
    }
  }

  #recordOf(emission: unknown, cause: AnyRecord): AnyRecord {
    if (this.#node.verb === 'pipeValues') return cause.withValue(resultOf('a piped operator', emission))
    const record = recordOf(emission, cause)
    if (this.#node.preservesKey && !record.hasKeyOf(cause)) throw keyChanged()
    return record
  }

  #fail(error: unknown): void {
    const { name } = this.#node
    if (this.#cause !== undefined) this.#context.fail(name, error)
    else this.#context.failOutsideTurn(name, isOutsideTurn(error) ? error : failedOutsideTurn(error))
  }
}

/** What an operator makes of its source; the author is at fault where it makes nothing. */
const applied = (
  operator: OperatorFunction<unknown, unknown>,
  source: Observable<unknown>,
): Observable<unknown> => {
  let made: unknown
  try {
    made = operator(source)
  } catch (cause) {
    throw operatorInvalid(`has failed as it was applied: ${messageOf(cause)}`, cause)
  }
  if (hasFunctions(made, 'subscribe')) return made as Observable<unknown>
  takeRejection(made)
  throw operatorInvalid(`returned ${shown(made)}, which is no Observable`)
}

interface Running {
  readonly subscription: Subscription
  readonly pending: PendingOperators
}

/** Where records enter. It never ends; what subscribes to it is linked to a subscription, as to any source of RxJS. */
class Entry extends Observable<unknown> {
  private _followers: readonly Subscriber<unknown>[] = []

  constructor(onSubscribed: () => void) {
    super((follower) => {
      this._followers = [...this._followers, follower]
      onSubscribed()
      return new Subscription(() => {
        this._followers = this._followers.filter((each) => each !== follower)
      })
    })
  }

  get hasFollowers(): boolean {
    return this._followers.length > 0
  }

  next(input: unknown): void {
    const followers = this._followers
    if (followers.length === 0) throw notListening()
    for (let index = 0; index < followers.length; index++)
      (followers[index] as Subscriber<unknown>).next(input)
  }
}

const maker = 'a piped operator emitted'

const recordOf = (emission: unknown, cause: AnyRecord): AnyRecord => {
  if (emission instanceof StreamRecord)
    return changedRecordOf(maker, emission).withTimestamp(emittedTime(emission.timestamp))
  const { key, value, timestamp, headers } = emittedRecordOf(maker, emission)
  const time = timestamp === undefined ? cause.timestamp : emittedTime(timestamp)
  return StreamRecord.of(key, value, time, headers ?? cause.headers, cause.origin)
}

const keyChanged = (): Fault =>
  new Fault({
    code: 'KEY_CHANGED',
    actor: 'record',
    message:
      'a piped operator emitted another key than that of the record at hand, although preservesKey says that keys stay',
    remedy: 'leave preservesKey out, so that what follows is repartitioned, or emit record.withValue(...)',
  })

const outsideTurn = 'EMISSION_OUTSIDE_TURN'
const useInstead = 'use mapAsync for asynchronous work, or a punctuator of process for timers'

const isOutsideTurn = (error: unknown): boolean => isFault(error, outsideTurn)

const emissionOutsideTurn = (): Fault =>
  new Fault({
    code: outsideTurn,
    actor: 'author',
    message: 'a piped operator emitted while no record was being processed (a timer or a promise)',
    remedy: useInstead,
  })

const failedOutsideTurn = (cause: unknown): Fault =>
  new Fault({
    code: outsideTurn,
    actor: 'author',
    message: `a piped operator ended while no record was being processed: ${messageOf(cause)}`,
    remedy: useInstead,
    cause,
  })

const completedOutsideTurn = (): Fault =>
  new Fault({
    code: outsideTurn,
    actor: 'author',
    message:
      'a piped operator completed while no record was being processed, so it would drop all later ones',
    remedy: useInstead,
  })

const operatorInvalid = (problem: string, cause?: unknown): Fault =>
  new Fault({
    code: 'OPERATOR_INVALID',
    actor: 'author',
    message: `a function given to pipe ${problem}`,
    remedy:
      'give RxJS operators: functions that get an Observable and return one; use mapAsync for asynchronous work',
    cause,
  })

const operatorWaits = (origin: RecordOrigin | undefined): Fault =>
  new Fault({
    code: outsideTurn,
    actor: 'author',
    message: 'a piped operator keeps a record until a timer, a promise or another source comes',
    remedy: useInstead,
    place: { ...origin },
  })

const pipelineCompleted = (): Fault =>
  new Fault({
    code: 'PIPELINE_COMPLETED',
    actor: 'record',
    message: 'a piped operator completed at this record, so it would drop all later ones',
    remedy:
      'use operators that do not complete (filter in place of take, first or takeWhile), or set processingFailure to skip',
  })

const recordRetried = (): Fault =>
  new Fault({
    code: 'PIPELINE_RESUBSCRIBED',
    actor: 'record',
    message: 'a piped operator subscribed again at this record, which it does not get again (retry)',
    remedy:
      'leave retry out: the error is then the failure of its record; processingRetryAttempts repeats records',
  })

const notListening = (): Fault =>
  new Fault({
    code: outsideTurn,
    actor: 'author',
    message:
      'a piped operator does not listen to the stream: it waits for a timer or a promise (subscribeOn, or retry with a delay)',
    remedy: useInstead,
  })
