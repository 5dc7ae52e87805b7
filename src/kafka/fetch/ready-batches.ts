import type { Clock } from '../../base/clock.ts'
import type { FetchedBatch } from '../fetcher.ts'
import type { PartitionState, ReadyBatch } from './partition-state.ts'

/** What has been fetched and not been handed over yet, and the one reader that waits for it. */
export class ReadyBatches {
  readonly #clock: Clock
  #ready: ReadyBatch[] = []
  #bytes = 0
  #fault: unknown
  #isWoken = false
  #wake: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get bytes(): number {
    return this.#bytes
  }

  add(ready: ReadyBatch): void {
    this.#ready.push(ready)
    this.#bytes += ready.sizeInBytes
    ready.state.bufferedBytes += ready.sizeInBytes
    this.#wake?.()
  }

  /** Ends the reader's wait with a fault; the first one counts. */
  fail(fault: unknown): void {
    this.#fault ??= fault
    this.#wake?.()
  }

  /** Ends the reader's wait, or its next one. */
  wakeup(): void {
    this.#isWoken = true
    this.#wake?.()
  }

  drop(isGone: (state: PartitionState) => boolean): void {
    this.#ready = this.#ready.filter(({ state }) => !isGone(state))
    this.#bytes = this.#ready.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0)
  }

  /** The offset of the first record of a partition that waits to be handed over. */
  firstOffset(of: PartitionState): number | undefined {
    const first = this.#ready.find(({ state }) => state === of)?.batch.columns
    return first === undefined || first.count === 0 ? undefined : first.offsets[0]
  }

  /** Everything, or what comes within `maxWaitMs`. */
  async take(maxWaitMs: number): Promise<readonly FetchedBatch[]> {
    if (this.#ready.length === 0 && this.#fault === undefined && !this.#isWoken && maxWaitMs > 0)
      await this.#wait(maxWaitMs)
    this.#isWoken = false
    this.#throwFault()
    const ready = this.#ready
    this.#ready = []
    this.#bytes = 0
    for (const { state } of ready) state.bufferedBytes = 0
    return ready.map(({ batch }) => batch)
  }

  #throwFault(): void {
    if (this.#fault === undefined) return
    const fault = this.#fault
    this.#fault = undefined
    throw fault
  }

  #wait(maxWaitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel()
        this.#wake = undefined
        resolve()
      }
      const cancel = this.#clock.setTimer(finish, maxWaitMs)
      this.#wake = finish
    })
  }
}
