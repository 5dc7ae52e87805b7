import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Database, RootDatabase } from 'lmdb'
import { open, TransactionFlags } from 'lmdb'
import type { Bytes } from '../base/bytes.ts'
import { utf8Decode, utf8Encode } from '../base/bytes.ts'
import type { Fault } from '../base/fault.ts'
import type { DiskState } from './disk.ts'
import { diskFault, LmdbTable } from './lmdb-table.ts'

/**
 * The LMDB environment of one task: the tables of its stores and a table of what the stores know of themselves. What is
 * damaged, or written in a format of another time, is set aside and begun anew; the changelogs hold the truth.
 */
export class LmdbEnvironment {
  readonly directory: string
  readonly #root: RootDatabase<Bytes, Bytes>
  readonly #states: Database<Bytes, Bytes>
  #failed = false

  private constructor(directory: string) {
    this.directory = directory
    this.#root = openRoot(directory)
    try {
      refuseTruncated(directory, this.#root)
      this.#states = this.#database('states')
      this.#claimFormat()
    } catch (error) {
      void this.#root.close()
      throw error
    }
  }

  /** Opens the directory; what is damaged there is renamed, and `onDamaged` told. */
  static open(directory: string, onDamaged: (fault: Fault) => void): LmdbEnvironment {
    mkdirSync(directory, { recursive: true })
    try {
      return new LmdbEnvironment(directory)
    } catch (error) {
      onDamaged(diskFault(directory, error))
      renameSync(directory, freeName(`${directory}.damaged`))
      mkdirSync(directory, { recursive: true })
      return new LmdbEnvironment(directory)
    }
  }

  table(name: string, store: string): LmdbTable {
    return new LmdbTable(this.#database(name), store)
  }

  /** What was noted for a store of that kind; undefined where there is nothing, or another kind of store had the name. */
  stateOf(store: string, kind: string): DiskState | undefined {
    const noted = this.#states.get(utf8Encode(store))
    if (noted === undefined) return undefined
    const { kind: known, ...state } = JSON.parse(utf8Decode(noted)) as DiskState & { readonly kind: string }
    return known === kind ? state : undefined
  }

  /** To be called within `batch`. */
  note(store: string, kind: string, { changelogOffset, observedMs, sequence }: DiskState): void {
    const observed = observedMs === undefined || Number.isFinite(observedMs) ? observedMs : undefined
    const state = { kind, changelogOffset, observedMs: observed, sequence }
    this.#states.putSync(utf8Encode(store), utf8Encode(JSON.stringify(state)))
  }

  /** Everything written by `write` is there after a crash, or nothing. The disk may get it a little later. */
  batch(write: () => void): void {
    // What a failed batch took from memory is not on disk: an offset written after it would hide that.
    if (this.#failed) return
    try {
      this.#root.transactionSync(write, batchFlags)
    } catch (error) {
      this.#failed = true
      throw diskFault(this.directory, error)
    }
  }

  async close(): Promise<void> {
    await this.#root.close()
  }

  #database(name: string): Database<Bytes, Bytes> {
    return this.#root.openDB<Bytes, Bytes>({ name, encoding: 'binary', keyEncoding: 'binary' })
  }

  #claimFormat(): void {
    const key = utf8Encode('\0format')
    const known = this.#states.get(key)
    if (known === undefined) this.#root.transactionSync(() => this.#states.putSync(key, utf8Encode(format)))
    else if (utf8Decode(known) !== format)
      throw new Error(`format ${utf8Decode(known)} is not ${format}, which this version writes`)
  }
}

const format = '1'

/** Committed when the call returns, without waiting for the disk: LMDB keeps the last state that is whole on disk. */
const batchFlags = (TransactionFlags.ABORTABLE |
  TransactionFlags.SYNCHRONOUS_COMMIT |
  TransactionFlags.NO_SYNC_FLUSH) as TransactionFlags

const openRoot = (directory: string): RootDatabase<Bytes, Bytes> =>
  open<Bytes, Bytes>({
    path: directory,
    // A directory may have a dot in its name, which would make it a file by default.
    noSubdir: false,
    maxDbs: 1024,
    encoding: 'binary',
    keyEncoding: 'binary',
    cache: false,
  })

/** A file that ends before its last page would end the process when that page is read: memory maps have no errors. */
const refuseTruncated = (directory: string, root: RootDatabase<Bytes, Bytes>): void => {
  const { lastPageNumber, pageSize } = root.getStats() as {
    readonly lastPageNumber: number
    readonly pageSize: number
  }
  const file = join(directory, 'data.mdb')
  const { size } = statSync(file)
  if (size < (lastPageNumber + 1) * pageSize) throw new Error(`${file} ends before its last page`)
}

const freeName = (wanted: string): string => {
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`
    if (!existsSync(name)) return name
  }
}
