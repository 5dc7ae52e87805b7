import type { DiskEntry } from './disk.ts'
import type { Cursor } from './sorted-list.ts'

/** What a walk needs to merge rows in memory with entries on disk, both in the order of the walk. */
export interface MergedWalk<R> {
  readonly memory: Cursor<R>
  /** The walk begins behind this row. */
  readonly start?: R | undefined
  /** The entries on disk behind a row, or all of the walk's; undefined for a store without a disk. */
  readonly openDisk: (behind: R | undefined) => Cursor<DiskEntry> | undefined
  /** Rises with each write to the disk, after which pages that were read may be outdated. */
  readonly diskVersion: () => number
  readonly compare: (left: R, right: R) => number
  readonly compareToEntry: (row: R, entry: DiskEntry) => number
  /** The row of an entry that comes before all rows in memory; undefined where it is deleted in memory or expired. */
  readonly rowOf: (entry: DiskEntry) => R | undefined
  readonly isBehindEnd: (row: R) => boolean
  /** Called for each entry that the walk has passed: with the row that it yields next, if there is one. */
  readonly onEntry?: ((entry: DiskEntry, row: R | undefined) => void) | undefined
}

/**
 * Walks rows of which some are in memory only, some on disk only and some in both. Where memory has a row, its entry on disk
 * is skipped unread, so that a walk costs what it returns, and what is deleted among it but still on disk.
 *
 * Each step yields the row that comes next at that moment, whatever was put, deleted, written or evicted since the last.
 */
export function* mergedRows<R>(walk: MergedWalk<R>): Generator<R, void> {
  const { memory, compare, compareToEntry, isBehindEnd, onEntry } = walk
  let last = walk.start
  let version = walk.diskVersion()
  let disk = walk.openDisk(last)
  for (;;) {
    if (version !== walk.diskVersion()) {
      version = walk.diskVersion()
      disk = walk.openDisk(last)
    }
    let here = memory.peek()
    // A row that the walk has yielded from disk was loaded or put since.
    while (here !== undefined && last !== undefined && compare(here, last) <= 0) {
      memory.advance()
      here = memory.peek()
    }
    const entry = disk?.peek()
    if (here === undefined && entry === undefined) return
    const order = here === undefined ? 1 : entry === undefined ? -1 : compareToEntry(here, entry)
    if (order <= 0) memory.advance()
    const row = order <= 0 || entry === undefined ? here : walk.rowOf(entry)
    if (order >= 0 && entry !== undefined) {
      disk?.advance()
      onEntry?.(entry, row)
    }
    if (row === undefined) continue
    if (isBehindEnd(row)) return
    last = row
    yield row
  }
}
