/**
 * How long to wait before the records since the last commit are processed again. The first time it is at once, as most
 * causes pass; from then on the pause doubles until something is committed. So a cause that stays does not repeat the
 * records' side effects in a loop.
 */
export class RestartPause {
  #restarts = 0

  /** Counts one more restart; returns how many there were since the last commit, and the pause before this one. */
  next(): { readonly restarts: number; readonly pauseMs: number } {
    const restarts = ++this.#restarts
    return { restarts, pauseMs: restarts === 1 ? 0 : Math.min(shortestMs * 2 ** (restarts - 2), longestMs) }
  }

  /** Something was committed. */
  reset(): void {
    this.#restarts = 0
  }
}

const shortestMs = 100
const longestMs = 30_000
