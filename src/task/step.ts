import { Observable, Subscriber } from 'rxjs'
import type { AnyRecord } from '../topology/node.ts'
import type { NodeTimes } from './node-times.ts'

/** Handles one record: may emit any number of records. */
export type OnRecord = (record: AnyRecord, emit: Emit) => void
export interface Emit {
  next(record: AnyRecord): void
}

/** What a step needs to know of the task whose records pass it. */
export interface StepContext {
  /** Set once the record has failed: it goes no further. */
  readonly failure: object | undefined
  readonly times: NodeTimes | undefined
  fail(node: string, error: unknown): void
}

/**
 * The observable after one node: `onRecord` is called for each record of `source`. What it throws becomes the failure
 * of the record, and the pipeline stays whole. `onStart` is called once, with where to emit outside of a record's turn.
 */
export const step = (
  context: StepContext,
  node: string,
  source: Observable<AnyRecord>,
  onRecord: OnRecord,
  onStart?: (emit: Emit) => void,
): Observable<AnyRecord> =>
  new Observable((subscriber: Subscriber<AnyRecord>) => {
    onStart?.(subscriber)
    return source.subscribe(new StepSubscriber(context, node, onRecord, subscriber))
  })

/**
 * Takes the records of a step itself, in place of the three calls that RxJS makes from a `Subscriber` to a function, two of
 * which guard against what a step has handled already: a tenth of a microsecond for each node that a record passes.
 */
class StepSubscriber extends Subscriber<AnyRecord> {
  readonly #context: StepContext
  readonly #node: string
  readonly #onRecord: OnRecord
  readonly #emit: Emit

  constructor(context: StepContext, node: string, onRecord: OnRecord, emit: Emit) {
    super()
    this.#context = context
    this.#node = node
    this.#onRecord = onRecord
    this.#emit = emit
  }

  override next(record: AnyRecord): void {
    const context = this.#context
    if (context.failure !== undefined || this.isStopped) return
    const { times } = context
    if (times !== undefined) times.enter(this.#node)
    try {
      this.#onRecord(record, this.#emit)
    } catch (error) {
      context.fail(this.#node, error)
    }
    if (times !== undefined) times.leave()
  }
}
