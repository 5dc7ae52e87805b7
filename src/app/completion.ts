/**
 * The end of an application as a promise. It knows whether a handler is attached to it, and its rejection is never an
 * unhandled one: a failure without a handler is logged instead.
 */
export class Completion {
  readonly promise: Promise<void>
  #isWatched = false
  #resolve: () => void = () => undefined
  #reject: (failure: unknown) => void = () => undefined

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.promise.catch(() => undefined)
    // Each way to attach a handler (`await`, `then`, `catch`, `finally`, `Promise.race`) reads the constructor first.
    void Object.defineProperty(this.promise, 'constructor', {
      get: () => {
        this.#isWatched = true
        return Promise
      },
    })
  }

  /** True once a handler is attached to the promise. */
  get isWatched(): boolean {
    return this.#isWatched
  }

  resolve(): void {
    this.#resolve()
  }

  reject(failure: unknown): void {
    this.#reject(failure)
  }
}
