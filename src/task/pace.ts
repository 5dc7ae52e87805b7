/**
 * How long the records of a task take. The clock is read after each of them, which takes up to a tenth of a microsecond:
 * whether a record is slow shows only afterwards, so a time slice ends with the record at which its time is over.
 */
export class Pace {
  /** How long a record takes; Infinity before the first measurement. */
  recordMs = Infinity
  #lastMs = 0
  #tookMs = 0
  #records = 0

  /** Processing starts now. */
  begin(nowMs: number): void {
    this.#lastMs = nowMs
  }

  /** Leaves out time that other work has taken. */
  exclude(durationMs: number): void {
    this.#lastMs += durationMs
  }

  /** Returns how long the record since the last reading has taken. */
  read(nowMs: number): number {
    const tookMs = nowMs - this.#lastMs
    this.#lastMs = nowMs
    this.#tookMs += tookMs
    this.#records++
    if (tookMs >= slowReadingMs || this.#tookMs >= measuredMs || this.#records >= fastRecords) this.#measure()
    return tookMs
  }

  #measure(): void {
    this.recordMs = this.#tookMs / this.#records
    this.#tookMs = 0
    this.#records = 0
  }
}

/** The clock has whole milliseconds, so a measurement needs some of them. */
const measuredMs = 4
/** More than a change of the millisecond: the records have become slow. */
const slowReadingMs = 2
/** After so many records, those without a measurement are fast. */
const fastRecords = 64
