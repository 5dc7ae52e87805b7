/**
 * When each saga is due next: a heap over what the store holds, made again after a restart. A saga that moved on leaves
 * its old entry behind, which is skipped when its time comes.
 */
export class Timers {
  readonly #current = new Map<string, number>()
  readonly #heap: { readonly sagaId: string; readonly dueMs: number }[] = []

  /** Sets when a saga is due; null lets go of it. */
  set(sagaId: string, dueMs: number | null): void {
    if (dueMs === null) {
      this.#current.delete(sagaId)
      return
    }
    if (this.#current.get(sagaId) === dueMs) return
    this.#current.set(sagaId, dueMs)
    this.#heap.push({ sagaId, dueMs })
    this.#rise(this.#heap.length - 1)
  }

  /** Takes the sagas that are due, earliest first; each stays out until it is set again. */
  take(nowMs: number): readonly string[] {
    const due: string[] = []
    for (let first = this.#heap[0]; first !== undefined && first.dueMs <= nowMs; first = this.#heap[0]) {
      this.#removeFirst()
      if (this.#current.get(first.sagaId) !== first.dueMs) continue
      this.#current.delete(first.sagaId)
      due.push(first.sagaId)
    }
    return due
  }

  #removeFirst(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink(0)
  }

  #rise(index: number): void {
    const parent = (index - 1) >> 1
    if (index === 0 || this.#dueAt(parent) <= this.#dueAt(index)) return
    this.#swap(parent, index)
    this.#rise(parent)
  }

  #sink(index: number): void {
    const left = index * 2 + 1
    const smaller = this.#dueAt(left + 1) < this.#dueAt(left) ? left + 1 : left
    if (this.#dueAt(smaller) >= this.#dueAt(index)) return
    this.#swap(smaller, index)
    this.#sink(smaller)
  }

  #dueAt(index: number): number {
    return this.#heap[index]?.dueMs ?? Infinity
  }

  #swap(left: number, right: number): void {
    const moved = this.#heap[left]
    const other = this.#heap[right]
    if (moved === undefined || other === undefined) return
    this.#heap[left] = other
    this.#heap[right] = moved
  }
}
