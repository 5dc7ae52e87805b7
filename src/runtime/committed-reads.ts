/**
 * Reads that may see only what is committed. A store holds what its task has done since the last commit too, so such a
 * read waits for the next moment without any: at once where there is none now, else at the end of the commit, before
 * the next record is processed. That is never longer than the commit interval under load, and nothing is kept twice.
 */
export class CommittedReads {
  readonly #isClean: () => boolean
  readonly #waiting: (() => void)[] = []

  constructor(isClean: () => boolean) {
    this.#isClean = isClean
  }

  run<T>(read: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const attempt = (): void => {
        try {
          resolve(read())
        } catch (error) {
          reject(error)
        }
      }
      if (this.#isClean()) attempt()
      else this.#waiting.push(attempt)
    })
  }

  /** Everything is committed, or what was not is gone: whoever waited reads now, within this very call. */
  release(): void {
    for (const attempt of this.#waiting.splice(0)) attempt()
  }
}
