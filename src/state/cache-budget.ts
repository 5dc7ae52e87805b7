/**
 * How much memory the stores of one member may take for their caches, in all. Each store has an equal part of it, which
 * is read again whenever a cache is looked after, as stores come and go with their tasks.
 */
export class CacheBudget {
  readonly #totalBytes: number
  #stores = 0

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes
  }

  /** The part of one store. */
  get shareBytes(): number {
    return this.#totalBytes / Math.max(1, this.#stores)
  }

  opened(stores: number): void {
    this.#stores += stores
  }

  closed(stores: number): void {
    this.#stores -= stores
  }
}
