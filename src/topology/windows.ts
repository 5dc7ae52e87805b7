/** Windows as data. All lengths are milliseconds; `graceMs` is how long after its end a window takes late records. */

/** Tumbling where `advanceMs` equals `sizeMs`, hopping otherwise. Ends are exclusive. */
export interface TimeWindows {
  readonly kind: 'time'
  readonly sizeMs: number
  readonly advanceMs: number
  readonly graceMs: number
}

/** A window for every distinct set of records no further apart than the difference (KIP-450). Ends are inclusive. */
export interface SlidingWindows {
  readonly kind: 'sliding'
  readonly differenceMs: number
  readonly graceMs: number
}

/** Bursts of activity that end after a gap without any. Ends are the last record's time, inclusive. */
export interface SessionWindows {
  readonly kind: 'session'
  readonly gapMs: number
  readonly graceMs: number
}

/** A right record matches where its time lies in [left - before, left + after]. */
export interface JoinWindows {
  readonly beforeMs: number
  readonly afterMs: number
  readonly graceMs: number
}
