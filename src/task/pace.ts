/**
 * How often a task reads the clock while it processes records. Reading takes up to half a microsecond, so it depends on
 * the time that records take: after each one where they take 12 µs or more, else after two to sixteen. A record that is
 * suddenly slow therefore ends its time slice after at most fifteen others.
 */
export class Pace {
  /** The caller counts this down with each record, and calls `read` at 0. */
  untilRead = 1
  /** How long a record takes; Infinity before the first measurement. */
  recordMs = Infinity
  #stride = 1
  #lastMs = 0
  #tookMs = 0
  #records = 0

  /** Processing starts now. */
  begin(nowMs: number): void {
    this.#lastMs = nowMs
  }

  /** True where no record came since the last reading. */
  get isRead(): boolean {
    return this.untilRead === this.#stride
  }

  /** Leaves out time that other work has taken. */
  exclude(durationMs: number): void {
    this.#lastMs += durationMs
  }

  /** Returns how long the records since the last reading have taken. */
  read(nowMs: number): number {
    const tookMs = nowMs - this.#lastMs
    this.#lastMs = nowMs
    this.#tookMs += tookMs
    this.#records += this.#stride - this.untilRead
    if (tookMs >= slowReadingMs || this.#tookMs >= measuredMs || this.#records >= this.#enough)
      this.#measure()
    this.untilRead = this.#stride
    return tookMs
  }

  /** A pause for garbage looks like a slow record: it must not make the task read the clock often for long. */
  get #enough(): number {
    return fastRecords * this.#stride * this.#stride
  }

  #measure(): void {
    this.recordMs = this.#tookMs / this.#records
    this.#stride = strideFor(this.recordMs)
    this.#tookMs = 0
    this.#records = 0
  }
}

/** The clock has whole milliseconds, so a measurement needs some of them. */
const measuredMs = 4
/** More than a change of the millisecond: the records have become slow. */
const slowReadingMs = 2
/** After so many records, squared with how many share a reading, those without a measurement are fast. */
const fastRecords = 64

const strideFor = (recordMs: number): number => {
  if (recordMs >= 0.012) return 1
  if (recordMs >= 0.006) return 2
  if (recordMs >= 0.003) return 4
  return recordMs >= 0.0015 ? 8 : 16
}
