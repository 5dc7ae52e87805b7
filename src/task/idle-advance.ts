/**
 * Moves stream time on while no record comes, if the author asks for it: without it, windows of an input that falls
 * silent never close, and records without partner are never emitted. Once the task has had nothing to do for `idleMs`,
 * stream time follows the clock from where the last record left it. The price: a record that comes late after a pause
 * is late for its windows too, and a replay, which has no pauses, may emit more.
 */
export class IdleAdvance {
  readonly #idleMs: number
  #last: { readonly nowMs: number; readonly streamTimeMs: number } | undefined

  constructor(idleMs: number) {
    this.#idleMs = idleMs
  }

  /** A record was taken up. */
  note(nowMs: number, streamTimeMs: number): void {
    this.#last = { nowMs, streamTimeMs }
  }

  /** Where stream time has to stand now; undefined while it is the records' own matter. */
  streamTimeAt(nowMs: number): number | undefined {
    if (this.#last === undefined) return undefined
    const idleMs = nowMs - this.#last.nowMs
    return idleMs >= this.#idleMs ? this.#last.streamTimeMs + idleMs : undefined
  }
}
