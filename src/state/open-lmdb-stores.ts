import type { Clock } from '../base/clock.ts'
import type { Fault } from '../base/fault.ts'
import { nextIteration } from '../base/next-iteration.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import type { CacheBudget } from './cache-budget.ts'
import type { CacheOptions } from './change-tracker.ts'
import type { Disk, DiskState, DiskTable, StoreOrigin, WriteCommitted } from './disk.ts'
import { LmdbEnvironment } from './lmdb-environment.ts'
import { openMemoryStore } from './open-memory-store.ts'
import { openStore } from './open-store.ts'
import type { ChangelogSink, StateStore } from './store.ts'
import { SkippedRows } from './skipped-rows.ts'
import type { SkippedRowsReport } from './skipped-rows.ts'
import type { ValueOptions } from './value-options.ts'

/**
 * The stores of one task on LMDB. What is committed waits in memory and is written in one batch for all stores, with
 * each store's changelog offset: every three seconds, or when much is waiting, and on close.
 */
export interface LmdbOptions extends CacheOptions, ValueOptions {
  readonly clock: Clock
  /** What the stores share with those of other tasks, in place of `cacheBytes` for each. */
  readonly budget?: CacheBudget | undefined
  /** The least time between two batches. Default: three seconds. */
  readonly batchIntervalMs?: number | undefined
  /** So many waiting rows are a batch before its time. Defaults to 200,000. */
  readonly batchRows?: number | undefined
  /** The changelog of each store, by store name. State that is written without is restored when it is opened again. */
  readonly origins?: ReadonlyMap<string, StoreOrigin> | undefined
  /** What was there is damaged and was set aside; the stores begin empty and are restored from their changelogs. */
  readonly onDamaged?: ((fault: Fault) => void) | undefined
  /** Rows of a changelog were left out, because their keys are too long for the disk. */
  readonly onSkipped?: ((report: SkippedRowsReport) => void) | undefined
}

export interface LmdbStores {
  /** A store whose definition says `memory` is opened in memory. */
  open(definition: StoreDefinition, changelog: ChangelogSink): StateStore
  /** Notes, with the next batch, that the stores held all of their changelogs at this time. */
  caughtUp(atMs: number): void
  /** Writes what is committed, and closes the environment. */
  close(): Promise<void>
}

/**
 * Opens the state of one task.
 *
 * @example
 * const stores = openLmdbStores('state/orders/0_3', { clock: systemClock })
 * const counts = stores.open(definition, changelog)
 * // restore from counts.changelogOffset(), process, flush, commit, then:
 * counts.persist(endOfChangelog)
 * await stores.close()
 */
export const openLmdbStores = (directory: string, options: LmdbOptions): LmdbStores => {
  const { budget } = options
  const { frozen, maxRequestSize } = options
  const cacheBytes = budget === undefined ? options.cacheBytes : () => budget.shareBytes
  const cache = { cacheBytes, frozen, maxRequestSize }
  // Opened with the first store that lies on disk: a task without one takes no file descriptors.
  let environment: LmdbEnvironment | undefined
  let batches: Batches | undefined
  const diskOf = (definition: StoreDefinition): LmdbDisk => {
    environment ??= LmdbEnvironment.open(directory, options.onDamaged ?? (() => {}))
    batches ??= new Batches(environment, options)
    return new LmdbDisk(environment, batches, definition, options.origins?.get(definition.name))
  }
  const disks: LmdbDisk[] = []
  const skips: SkippedRows[] = []
  const reportSkipped = (): void => {
    for (const skipped of skips) {
      const report = skipped.take()
      if (report !== undefined) options.onSkipped?.(report)
    }
  }
  let opened = 0
  return {
    open: (definition, changelog) => {
      budget?.opened(1)
      opened++
      if (definition.storage === 'memory') return openMemoryStore(definition, changelog, cache)
      const disk = diskOf(definition)
      const skipped = new SkippedRows(definition.name)
      disks.push(disk)
      skips.push(skipped)
      return openStore(definition, { ...cache, changelog, disk, skipped })
    },
    caughtUp: (atMs) => {
      for (const disk of disks) disk.caughtUp(atMs)
      reportSkipped()
    },
    close: async () => {
      reportSkipped()
      budget?.closed(opened)
      opened = 0
      batches?.writeAll()
      await environment?.close()
    },
  }
}

/**
 * Says when a batch is due, and writes it for all stores at once, so that many changes of a row between two of them are
 * written once. As writing blocks the thread, a large batch is written in parts, between which the thread goes on: rows
 * first, and with the last of a store the offset that they belong to. After a crash in between, the changelog is read from
 * the offset before, so the rows ahead of it are written again.
 */
class Batches {
  readonly #environment: LmdbEnvironment
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #maxRows: number
  /** Committed rows, by the store that they wait in. */
  readonly #waiting = new Map<LmdbDisk, number>()
  /** The stores of the batch that is being written, from the one that is next. */
  #writing: LmdbDisk[] = []
  #isScheduled = false
  /** The error of a part that ran on its own, until the next call throws it. */
  #failure: { readonly error: unknown } | undefined
  #lastMs: number

  constructor(environment: LmdbEnvironment, options: LmdbOptions) {
    this.#environment = environment
    this.#clock = options.clock
    this.#intervalMs = options.batchIntervalMs ?? defaultIntervalMs
    this.#maxRows = options.batchRows ?? 200_000
    this.#lastMs = options.clock.monotonicMs()
  }

  /** When a store was committed, for its origin. */
  now(): number {
    return this.#clock.now()
  }

  persist(disk: LmdbDisk, waiting: number): void {
    this.#throwFailure()
    this.#waiting.set(disk, waiting)
    if (this.#writing.length > 0) return
    if (this.#waitingRows < this.#maxRows && this.#clock.monotonicMs() - this.#lastMs < this.#intervalMs)
      return
    this.#begin()
    this.#writePart(partMs)
  }

  /** Has a store noted with the next batch, although it has nothing to write. */
  note(disk: LmdbDisk): void {
    this.persist(disk, this.#waiting.get(disk) ?? 0)
  }

  /** Writes all that is committed, however long that takes. */
  writeAll(): void {
    this.#throwFailure()
    this.#writePart(Infinity)
    this.#begin()
    this.#writePart(Infinity)
  }

  #begin(): void {
    this.#lastMs = this.#clock.monotonicMs()
    this.#writing = [...this.#waiting.keys()]
    this.#waiting.clear()
  }

  #writePart(durationMs: number): void {
    const writing = this.#writing
    if (writing.length === 0) return
    const beganMs = this.#clock.monotonicMs()
    const isOver = (): boolean => this.#clock.monotonicMs() - beganMs >= durationMs
    // Of a batch that failed, nothing more is written.
    this.#writing = []
    this.#environment.batch(
      () => {
        while (writing[0]?.writeCommitted(isOver) === true) writing.shift()
        this.#writing = writing
      },
      writing.map(({ store }) => store),
    )
    if (this.#writing.length > 0) this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    void nextIteration().then(() => {
      this.#isScheduled = false
      try {
        this.#writePart(partMs)
      } catch (error) {
        this.#failure = { error }
      }
    })
  }

  #throwFailure(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure.error
  }

  get #waitingRows(): number {
    let rows = 0
    for (const count of this.#waiting.values()) rows += count
    return rows
  }
}

/**
 * What changes often is written once for all its changes in between. A crash costs as much of the changelog to read again.
 */
const defaultIntervalMs = 3_000

/** What a part may take of the 200 ms that nothing may block the thread for: records are processed in the same iteration. */
const partMs = 50

const noteIntervalMs = 60_000

class LmdbDisk implements Disk {
  readonly rows: DiskTable
  readonly byTime: DiskTable
  readonly state: DiskState | undefined
  readonly #environment: LmdbEnvironment
  readonly #batches: Batches
  readonly store: string
  readonly #kind: string
  #write: WriteCommitted = () => ({ state: { changelogOffset: 0 }, isWhole: true })
  #origin: StoreOrigin | undefined
  #notedMs: number

  constructor(
    environment: LmdbEnvironment,
    batches: Batches,
    { name, kind }: StoreDefinition,
    origin: StoreOrigin | undefined,
  ) {
    this.#origin = origin
    this.#notedMs = origin?.caughtUpMs ?? 0

    this.#environment = environment
    this.#batches = batches
    this.store = name
    this.#kind = kind
    const rows = environment.table(`rows:${name}`, name)
    const byTime = environment.table(`time:${name}`, name)
    this.rows = rows
    this.byTime = byTime
    this.state = environment.stateOf(name, kind)
    if (this.state !== undefined || rows.count() === 0) return
    // Another kind of store had this name: its rows mean nothing here.
    environment.batch(() => {
      rows.clear()
      byTime.clear()
    }, [name])
  }

  attach(write: WriteCommitted): void {
    this.#write = write
  }

  /** Who commits has written all of the changelog. */
  persist(waiting: number): void {
    this.#isCaughtUpAt(this.#batches.now())
    this.#batches.persist(this, waiting)
  }

  /** Written at most once a minute, as a store without changes needs no batches otherwise. */
  caughtUp(atMs: number): void {
    this.#isCaughtUpAt(atMs)
    // A clock may have been set back.
    if (Math.abs(atMs - this.#notedMs) >= noteIntervalMs) this.#batches.note(this)
  }

  write(write: () => DiskState): void {
    this.#environment.batch(() => this.#note(write()), [this.store])
  }

  /** True once all of a batch is written, and noted. */
  writeCommitted(isOver: () => boolean): boolean {
    const { state, isWhole } = this.#write(isOver)
    if (isWhole) this.#note(state)
    else this.#environment.noteAhead(this.store, this.#kind, state.changelogOffset)
    return isWhole
  }

  #note(state: DiskState): void {
    this.#environment.note(this.store, this.#kind, state, this.#origin)
    this.#notedMs = this.#origin?.caughtUpMs ?? 0
  }

  #isCaughtUpAt(atMs: number): void {
    if (this.#origin !== undefined) this.#origin = { ...this.#origin, caughtUpMs: atMs }
  }

  close(): void {
    this.#batches.writeAll()
  }
}
