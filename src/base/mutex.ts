/** Lets one at a time in, in the order they asked. */
export class Mutex {
  #tail: Promise<void> = Promise.resolve()

  /** Runs `work` when everybody who asked before has finished; its outcome is the result. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work)
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    )
    return result
  }
}
