import type { Subscription } from 'rxjs'
import { Subscriber } from 'rxjs'

/**
 * Finds operators that wait for something outside of the records: a timer, a promise, a source of the author's own.
 * RxJS reports nothing, but it links every subscription to those it has to end with. After a record has passed synchronous
 * operators, the links are those of the start, plus inner subscriptions that wait for the entry (`groupBy`). A
 * scheduled action, or an inner subscriber that is linked to no subscription, waits for something else.
 *
 * The walk happens once per commit and pipe that had a record; nothing is done per record.
 */
export class PendingOperators {
  readonly #root: Subscription
  /** What was linked before the first record: `takeUntil(NEVER)` waits for no record. */
  readonly #atStart = new WeakSet<Subscription>()

  constructor(root: Subscription) {
    this.#root = root
    this.#note(root)
  }

  get isAny(): boolean {
    return this.#isWaiting(this.#root)
  }

  #note(subscription: Subscription): void {
    for (const linked of linkedTo(subscription)) {
      this.#atStart.add(linked)
      this.#note(linked)
    }
  }

  #isWaiting(subscription: Subscription): boolean {
    return linkedTo(subscription).some(
      (linked) =>
        !linked.closed && (isScheduled(linked) || this.#isOutside(linked) || this.#isWaiting(linked)),
    )
  }

  #isOutside(linked: Subscription): boolean {
    return linked instanceof Subscriber && !this.#atStart.has(linked) && linkedTo(linked).length === 0
  }
}

const isScheduled = (linked: Subscription): boolean => (linked as unknown as Internals).pending === true

/** The parts of RxJS 7's classes that are no part of its types. */
interface Internals {
  readonly _finalizers?: readonly (Subscription | (() => void))[] | null
  /** Of a scheduled action: it has not run yet. */
  readonly pending?: boolean
}

const linkedTo = (subscription: Subscription): readonly Subscription[] =>
  ((subscription as unknown as Internals)._finalizers ?? []).filter((each) => typeof each === 'object')
