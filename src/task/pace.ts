/**
 * How long the records of a task take. The clock is read after each of them, so a time slice ends with the record at which
 * its time is over. Reading it takes a tenth of a microsecond, a twentieth of what a fast record does: while records are
 * fast, it is read after every fourth. Of records that become slow, three more may pass before that is seen.
 */
export class Pace {
  /** How long a record takes; Infinity before the first measurement. */
  recordMs = Infinity
  #lastMs = 0
  #tookMs = 0
  #records = 0
  /** Records since the last reading. */
  #unread = 0
  /** So many records pass between two readings. */
  #stride = 1

  /** Processing starts now. */
  begin(nowMs: number): void {
    this.#lastMs = nowMs
    this.#unread = 0
  }

  /** Counts a record that has passed; true where the clock is to be read. */
  passed(): boolean {
    return ++this.#unread >= this.#stride
  }

  /** True where records have passed since the last reading. */
  get hasUnread(): boolean {
    return this.#unread > 0
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
    this.#records += Math.max(1, this.#unread)
    this.#unread = 0
    if (tookMs >= slowReadingMs || this.#tookMs >= measuredMs || this.#records >= fastRecords) this.#measure()
    return tookMs
  }

  #measure(): void {
    this.recordMs = this.#tookMs / this.#records
    this.#stride = this.recordMs < fastRecordMs ? longestStride : 1
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
/** Four of them take less than what a slice is measured in. */
const fastRecordMs = 0.05
const longestStride = 4
