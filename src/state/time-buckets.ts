import { SortedList } from './sorted-list.ts'

/** Things that fall due, gathered in buckets of time so that most additions touch no order at all. */
export class TimeBuckets<T> {
  readonly #widthMs: number
  readonly #buckets = new Map<number, Set<T>>()
  readonly #times = new SortedList<number>((left, right) => left - right)

  constructor(widthMs: number) {
    this.#widthMs = widthMs
  }

  add(timeMs: number, item: T): void {
    const bucket = Math.floor(timeMs / this.#widthMs)
    const known = this.#buckets.get(bucket)
    if (known !== undefined) {
      known.add(item)
      return
    }
    this.#buckets.set(bucket, new Set([item]))
    this.#times.insert(bucket)
  }

  /** Takes out what lies in buckets that end at or before `timeMs`: a little later than due, and never too early. */
  takeUpTo(timeMs: number): readonly T[] {
    const taken: T[] = []
    for (;;) {
      const bucket = this.#times.first
      if (bucket === undefined || (bucket + 1) * this.#widthMs > timeMs) return taken
      for (const item of this.#buckets.get(bucket) ?? []) taken.push(item)
      this.#buckets.delete(bucket)
      this.#times.remove(bucket)
    }
  }
}
