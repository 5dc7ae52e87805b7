import type { AnyRecord } from '../topology/node.ts'

/** A piece of work that goes on while the task processes other records. */
export interface PieceOfWork {
  /** The record of the task's input it came from; undefined where a punctuator or a commit caused it. */
  readonly source: AnyRecord | undefined
}

/** A finished piece, waiting for a turn of its own in which its result goes on. */
export interface Finished {
  readonly piece: PieceOfWork
  /** Hands the result to the next step, or notes the failure. Called within a turn. */
  readonly deliver: () => void
}

/**
 * The asynchronous work of one task (`mapAsync`). Results never enter the topology by themselves: they wait here until
 * the task takes a turn for each. Until then the offset of the record they came from counts as not processed, so that
 * no commit runs ahead of the work.
 */
export class AsyncWork {
  readonly #pieces = new Set<PieceOfWork>()
  readonly #finished: Finished[] = []
  readonly #fullSteps = new Set<string>()
  readonly #onReady: () => void
  #sleeping = 0
  #progress: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined

  /** `onReady` is called when a result begins to wait for its turn. */
  constructor(onReady: () => void) {
    this.#onReady = onReady
  }

  /** Pieces begun whose results have not gone on yet. */
  get inFlight(): number {
    return this.#pieces.size
  }

  /** Pieces that wait for the clock, between two attempts. */
  get sleeping(): number {
    return this.#sleeping
  }

  get hasFinished(): boolean {
    return this.#finished.length > 0
  }

  /** True while some step has taken as many records as it may. */
  get isFull(): boolean {
    return this.#fullSteps.size > 0
  }

  begin(source: AnyRecord | undefined): PieceOfWork {
    const piece = { source }
    this.#pieces.add(piece)
    return piece
  }

  finish(piece: PieceOfWork, deliver: () => void): void {
    this.#finished.push({ piece, deliver })
    this.#reportProgress()
    this.#onReady()
  }

  /** The piece waits for the clock, or no longer does. */
  sleep(asleep: boolean): void {
    this.#sleeping += asleep ? 1 : -1
    this.#reportProgress()
  }

  /** The oldest result; its piece counts as processed from now on. */
  take(): Finished | undefined {
    const finished = this.#finished.shift()
    if (finished !== undefined) this.#pieces.delete(finished.piece)
    return finished
  }

  setFull(step: string, full: boolean): void {
    if (full) this.#fullSteps.add(step)
    else this.#fullSteps.delete(step)
  }

  /** The smallest offset of a topic that is still worked on; undefined where there is none. */
  oldestOffset(topic: string): number | undefined {
    let oldest: number | undefined
    for (const { source } of this.#pieces) {
      const origin = source?.origin
      if (origin?.topic === topic && (oldest === undefined || origin.offset < oldest)) oldest = origin.offset
    }
    return oldest
  }

  /** Resolves at the next result, or when a piece goes to sleep or wakes up; undefined where nothing is in flight. */
  progress(): Promise<void> | undefined {
    if (this.#pieces.size === 0) return undefined
    if (this.hasFinished) return Promise.resolve()
    if (this.#progress === undefined) {
      let resolve = (): void => {}
      const promise = new Promise<void>((done) => {
        resolve = done
      })
      this.#progress = { promise, resolve }
    }
    return this.#progress.promise
  }

  #reportProgress(): void {
    this.#progress?.resolve()
    this.#progress = undefined
  }
}
