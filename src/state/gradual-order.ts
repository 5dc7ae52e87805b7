import { SortedList } from './sorted-list.ts'

/**
 * The order of rows, made a slice at a time: a million rows at once would stop the thread for a second. Rows that come and
 * go meanwhile are put in and taken out as in a complete order.
 */
export class GradualOrder<R> {
  readonly list: SortedList<R>
  readonly #rows: readonly R[]
  readonly #isListed: (row: R) => boolean
  #next = 0

  /** `isListed` is true for a row of `rows` that is still to be listed when its turn comes. */
  constructor(rows: readonly R[], compare: (left: R, right: R) => number, isListed: (row: R) => boolean) {
    this.#rows = rows
    this.list = new SortedList(compare)
    this.#isListed = isListed
  }

  insert(row: R): void {
    this.list.insertOnce(row)
  }

  remove(row: R): void {
    this.list.remove(row)
  }

  /** Goes on until `isOver`; true once every row is in order. */
  proceed(isOver: () => boolean): boolean {
    while (this.#next < this.#rows.length && !isOver()) {
      const end = Math.min(this.#rows.length, this.#next + rowsAtOnce)
      for (; this.#next < end; this.#next++) {
        const row = this.#rows[this.#next] as R
        if (this.#isListed(row)) this.list.insertOnce(row)
      }
    }
    return this.#next === this.#rows.length
  }
}

/** Less than a tenth of a millisecond. */
const rowsAtOnce = 32
