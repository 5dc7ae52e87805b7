import { Observable, Subscriber } from 'rxjs'
import type { Observer, Operator, Subscription, TeardownLogic } from 'rxjs'

/** What a consumer of a piped operator threw or left unhandled. RxJS would end the process with it. */
export interface ConsumerGuard {
  /** A callback threw. */
  threw(error: unknown): void
  /** The source failed, and the consumer has no callback for errors. */
  leftUnhandled(error: unknown): void
}

/**
 * An observable that an operator written by hand may subscribe to: `new Observable((out) => source.subscribe(...))`. What
 * its callbacks throw goes to the guard. All that RxJS's own operators make of it guards its consumers too, at no cost
 * per value: they subscribe with a `Subscriber`, which handles errors itself.
 */
export class PipedObservable<T> extends Observable<T> {
  readonly #guard: ConsumerGuard

  constructor(guard: ConsumerGuard, subscribe?: (subscriber: Subscriber<T>) => TeardownLogic) {
    super(subscribe)
    this.#guard = guard
  }

  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    const lifted = new PipedObservable<R>(this.#guard)
    lifted.source = this
    lifted.operator = operator
    return lifted
  }

  override subscribe(
    consumer?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    if (consumer instanceof Subscriber) return super.subscribe(consumer)
    const observer =
      typeof consumer === 'function' || consumer == null ? partial(consumer, error, complete) : consumer
    return super.subscribe(guarded(observer, this.#guard))
  }
}

const partial = <T>(
  next: ((value: T) => void) | null | undefined,
  error: ((error: unknown) => void) | null | undefined,
  complete: (() => void) | null | undefined,
): Partial<Observer<T>> => ({
  ...(next == null ? {} : { next }),
  ...(error == null ? {} : { error }),
  ...(complete == null ? {} : { complete }),
})

const guarded = <T>(observer: Partial<Observer<T>>, guard: ConsumerGuard): Observer<T> => ({
  next: (value) => {
    try {
      observer.next?.(value)
    } catch (error) {
      guard.threw(error)
    }
  },
  error: (failure: unknown) => {
    if (observer.error === undefined) return guard.leftUnhandled(failure)
    try {
      observer.error(failure)
    } catch (error) {
      guard.threw(error)
    }
  },
  complete: () => {
    try {
      observer.complete?.()
    } catch (error) {
      guard.threw(error)
    }
  },
})
