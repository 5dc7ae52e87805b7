/**
 * A binary heap: whatever sorts first is at hand, adding and taking cost the logarithm of its size. Items that sort alike
 * leave in the order of Java's `PriorityQueue`, by which Kafka Streams orders its queues and its punctuators.
 */
export class Heap<T> {
  readonly #compare: (left: T, right: T) => number
  readonly #items: T[] = []

  constructor(compare: (left: T, right: T) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#items.length
  }

  get first(): T | undefined {
    return this.#items[0]
  }

  add(item: T): void {
    this.#items.push(item)
    let index = this.#items.length - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (this.#compare(this.#at(index), this.#at(parent)) >= 0) return
      this.#swap(index, parent)
      index = parent
    }
  }

  /** Takes the first off; undefined where there is none. */
  take(): T | undefined {
    const first = this.#items[0]
    const last = this.#items.pop()
    if (this.#items.length === 0 || last === undefined) return first
    this.#items[0] = last
    this.#sink()
    return first
  }

  #sink(): void {
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const right = left + 1
      let smallest = index
      if (left < this.size && this.#compare(this.#at(left), this.#at(smallest)) < 0) smallest = left
      if (right < this.size && this.#compare(this.#at(right), this.#at(smallest)) < 0) smallest = right
      if (smallest === index) return
      this.#swap(index, smallest)
      index = smallest
    }
  }

  #at(index: number): T {
    return this.#items[index] as T
  }

  #swap(left: number, right: number): void {
    const item = this.#at(left)
    this.#items[left] = this.#at(right)
    this.#items[right] = item
  }
}
