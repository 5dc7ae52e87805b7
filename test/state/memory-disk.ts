import type { Bytes } from '../../src/base/bytes.ts'
import { compareBytes, copyBytes } from '../../src/base/bytes.ts'
import type {
  Disk,
  DiskEntry,
  DiskRange,
  DiskState,
  DiskTable,
  WriteCommitted,
} from '../../src/state/disk.ts'

/** A disk in memory that writes at every commit and counts the entries that are read from it in pages. */
export class MemoryDisk implements Disk {
  readonly rows = new MemoryTable()
  readonly byTime = new MemoryTable()
  readonly state = undefined
  #write: WriteCommitted = () => ({ state: { changelogOffset: 0 }, isWhole: true })

  get pagedEntries(): number {
    return this.rows.pagedEntries + this.byTime.pagedEntries
  }

  persist(): void {
    this.#write(() => false)
  }

  write(write: () => DiskState): void {
    write()
  }

  attach(write: WriteCommitted): void {
    this.#write = write
  }

  close(): void {}
}

class MemoryTable implements DiskTable {
  pagedEntries = 0
  readonly #values = new Map<string, DiskEntry>()
  #sorted: DiskEntry[] | undefined

  get(key: Bytes): Bytes | undefined {
    return this.#values.get(String(key))?.value
  }

  page({ from, to, exclusive, reverse }: DiskRange, limit: number): readonly DiskEntry[] {
    const start = reverse ? to : from
    const entries = this.#ordered().filter(
      ({ key }) =>
        (from === undefined || compareBytes(key, from) >= 0) &&
        (to === undefined || compareBytes(key, to) <= 0) &&
        !(exclusive && start !== undefined && compareBytes(key, start) === 0),
    )
    const page = (reverse ? entries.toReversed() : entries).slice(0, limit)
    this.pagedEntries += page.length
    return page
  }

  set(key: Bytes, value: Bytes | undefined): void {
    this.#sorted = undefined
    if (value === undefined) this.#values.delete(String(key))
    else this.#values.set(String(key), { key: copyBytes(key), value: copyBytes(value) })
  }

  count(): number {
    return this.#values.size
  }

  #ordered(): readonly DiskEntry[] {
    this.#sorted ??= [...this.#values.values()].sort((left, right) => compareBytes(left.key, right.key))
    return this.#sorted
  }
}
