import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Database, RootDatabase } from 'lmdb'
import { open, TransactionFlags } from 'lmdb'
import type { Bytes } from '../base/bytes.ts'
import { utf8Decode, utf8Encode } from '../base/bytes.ts'
import { Fault, isFault, messageOf } from '../base/fault.ts'
import { refuseWithoutDescriptors } from '../files/descriptors.ts'
import { fileRemedy } from '../files/file-remedy.ts'
import { makeDirectory } from '../files/make-directory.ts'
import { makePrivate, writePrivateFile } from '../files/private-file.ts'
import type { DiskState, StoredState, StoreOrigin } from './disk.ts'
import { LmdbTable } from './lmdb-table.ts'

/**
 * The LMDB environment of one task: the tables of its stores and a table of what the stores know of themselves. What is
 * damaged, or written in a format of another time, is set aside and created again; the changelogs hold the truth.
 */
export class LmdbEnvironment {
  readonly directory: string
  readonly #root: RootDatabase<Bytes, Bytes>
  readonly #states: Database<Bytes, Bytes>
  #failed = false

  private constructor(directory: string) {
    this.directory = directory
    // Without descriptors, LMDB ends the process.
    refuseWithoutDescriptors(directory)
    const isNew = !isThere(join(directory, dataFile))
    try {
      allocateLockFile(directory)
      this.#root = openRoot(directory)
      if (isNew) makePrivate(join(directory, dataFile))
    } catch (error) {
      // Half a file would look like a damaged one when the disk has room again.
      if (isNew) rmSync(join(directory, dataFile), { force: true })
      throw error
    }
    try {
      refuseTruncated(directory, this.#root)
      this.#states = this.#database('states')
      this.#claimFormat()
    } catch (error) {
      void this.#root.close()
      throw error
    }
  }

  /** Opens the directory; what is damaged there is renamed, and `onDamaged` called. */
  static open(directory: string, onDamaged: (fault: Fault) => void): LmdbEnvironment {
    const openSound = (): LmdbEnvironment => {
      makeDirectory(directory)
      refuseDamaged(directory)
      return new LmdbEnvironment(directory)
    }
    try {
      return openSound()
    } catch (error) {
      // A full disk, a missing permission or descriptor says nothing about the state.
      if (!isDamage(error)) throw isFault(error) ? error : diskFailed(directory, error)
      onDamaged(damaged(directory, error))
      renameSync(directory, freeName(`${directory}.damaged`))
      return openSound()
    }
  }

  /**
   * What is noted of each store, without opening any; undefined where there is nothing, or it is damaged. Nothing is repaired.
   * Throws what says nothing about the state: state that is there must not be taken for none.
   */
  static async readStates(directory: string): Promise<Map<string, StoredState> | undefined> {
    try {
      if (!isThere(join(directory, dataFile))) return undefined
      refuseDamaged(directory)
      const environment = new LmdbEnvironment(directory)
      const states = new Map(
        Array.from(environment.#states.getRange(), ({ key, value }) => [utf8Decode(key), value] as const)
          .filter(([store]) => !store.startsWith('\0'))
          .map(([store, noted]) => [store, storedStateOf(JSON.parse(utf8Decode(noted)) as NotedState)]),
      )
      await environment.close()
      return states
    } catch (error) {
      if (isDamage(error)) return undefined
      throw isFault(error) ? error : diskFailed(directory, error)
    }
  }

  table(name: string, store: string): LmdbTable {
    return new LmdbTable(this.#database(name), store, (error) => this.#faultOf(error))
  }

  /** What was noted for a store of that kind; undefined where there is nothing, or another kind of store had the name. */
  stateOf(store: string, kind: string): DiskState | undefined {
    const noted = this.#states.get(utf8Encode(store))
    if (noted === undefined) return undefined
    const { kind: known, changelogOffset, observedMs, sequence } = JSON.parse(utf8Decode(noted)) as NotedState
    return known === kind ? { changelogOffset, observedMs, sequence } : undefined
  }

  /** To be called within `batch`. */
  note(
    store: string,
    kind: string,
    { changelogOffset, observedMs, sequence }: DiskState,
    origin: StoreOrigin | undefined,
  ): void {
    const observed = observedMs === undefined || Number.isFinite(observedMs) ? observedMs : undefined
    const state: NotedState = { kind, changelogOffset, observedMs: observed, sequence, origin }
    this.#states.putSync(utf8Encode(store), utf8Encode(JSON.stringify(state)))
  }

  /** Notes that rows are written of which `note` comes later, up to this offset. To be called within `batch`. */
  noteAhead(store: string, kind: string, aheadOffset: number): void {
    const key = utf8Encode(store)
    const noted = this.#states.get(key)
    // Without a state, what is there is nothing when it is opened again.
    if (noted === undefined) return
    const state = JSON.parse(utf8Decode(noted)) as NotedState
    if (state.kind === kind) this.#states.putSync(key, utf8Encode(JSON.stringify({ ...state, aheadOffset })))
  }

  /** Everything written by `write` is there after a crash, or nothing. The disk may get it a little later. */
  batch(write: () => void, stores: readonly string[]): void {
    // What a failed batch took from memory is not on disk: an offset written after it would hide that.
    if (this.#failed) return
    try {
      this.#root.transactionSync(write, batchFlags)
    } catch (error) {
      this.#failed = true
      throw this.#faultOf(error, stores)
    }
  }

  async close(): Promise<void> {
    await this.#root.close()
  }

  /** What went wrong, as a fault. Damage is marked, so that the directory is set aside when it is opened again. */
  #faultOf(error: unknown, stores?: readonly string[]): Fault {
    if (isFault(error)) return error
    // After a write that failed, LMDB may refuse to go on (MDB_PANIC); the file is as it was before.
    if (this.#failed || !damageOf.test(messageOf(error))) return diskFailed(this.directory, error, stores)
    writePrivateFile(join(this.directory, damageMark), messageOf(error))
    return damaged(this.directory, error)
  }

  #database(name: string): Database<Bytes, Bytes> {
    return this.#root.openDB<Bytes, Bytes>({ name, encoding: 'binary', keyEncoding: 'binary' })
  }

  #claimFormat(): void {
    const key = utf8Encode('\0format')
    const known = this.#states.get(key)
    if (known === undefined) this.#root.transactionSync(() => this.#states.putSync(key, utf8Encode(format)))
    else if (utf8Decode(known) !== format)
      throw new DamagedState(`format ${utf8Decode(known)} is not ${format}, which this version writes`)
  }
}

const format = '1'

/** A store's state as it lies on disk, as JSON. */
type NotedState = DiskState &
  Pick<StoredState, 'aheadOffset'> & { readonly kind: string; readonly origin?: StoreOrigin | undefined }

const storedStateOf = ({ changelogOffset, aheadOffset, origin }: NotedState): StoredState => ({
  changelogOffset,
  aheadOffset,
  origin,
})

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

const dataFile = 'data.mdb'
const lockFile = 'lock.mdb'
const damageMark = 'damaged'

/** The names of all files that an environment has in its directory. */
export const lmdbFiles: ReadonlySet<string> = new Set([dataFile, lockFile, damageMark])

/** How LMDB says that what it finds makes no sense. */
const damageOf = /MDB_(?:CORRUPTED|PAGE_NOTFOUND|PANIC|INVALID)/

/** What makes a directory be set aside; any other error leaves it as it is. */
class DamagedState extends Error {}

const isDamage = (error: unknown): boolean => error instanceof DamagedState || damageOf.test(messageOf(error))

const diskFailed = (directory: string, error: unknown, stores?: readonly string[]): Fault =>
  new Fault({
    code: 'STATE_DISK_FAILED',
    actor: 'runtime',
    message: `the state in ${directory} cannot be read or written: ${messageOf(error)}`,
    remedy: `${fileRemedy(error, 'stateDirectory')}; what is missing is restored from the changelogs`,
    place: { store: stores?.join(', ') },
    cause: error,
  })

const damaged = (directory: string, cause: unknown): Fault =>
  new Fault({
    code: 'STATE_DAMAGED',
    actor: 'runtime',
    message: `the state in ${directory} is damaged: ${messageOf(cause)}`,
    remedy: 'nothing is lost: opened again, it is set aside and restored from the changelogs',
    cause,
  })

/** Throws where that cannot be known, as in a directory without permission: `existsSync` takes what is in it for missing. */
const isThere = (file: string): boolean => statSync(file, { throwIfNoEntry: false }) !== undefined

/**
 * LMDB ends the process when it opens what is none of its files, so their two first pages are looked at before: each
 * has the mark of LMDB and the version of its format.
 */
const refuseDamaged = (directory: string): void => {
  const mark = join(directory, damageMark)
  if (isThere(mark)) throw new DamagedState(readFileSync(mark, 'utf8'))
  const file = join(directory, dataFile)
  if (!isThere(file) || statSync(file).size === 0) return
  const head = new Uint8Array(largestPageBytes + 64)
  const descriptor = openSync(file, 'r')
  const length = readAndClose(descriptor, head)
  const view = new DataView(head.buffer, 0, length)
  const pageSize = length < 64 ? 0 : view.getUint32(48, true)
  for (const page of [0, pageSize]) {
    const isMeta =
      pageSize >= 256 &&
      page + 64 <= length &&
      view.getUint32(page + 24, true) === 0xbeef_c0de &&
      view.getUint16(page + 28, true) === 2
    if (!isMeta) throw new DamagedState(`${file} is no LMDB file`)
  }
}

const readAndClose = (descriptor: number, target: Uint8Array): number => {
  try {
    return readSync(descriptor, target)
  } finally {
    closeSync(descriptor)
  }
}

const largestPageBytes = 65_536

/**
 * LMDB maps its lock file into memory, and the process ends with SIGBUS when it writes to a page for which the disk has no
 * room. So the file is written before: a full disk is an error then.
 */
const allocateLockFile = (directory: string): void => {
  const file = join(directory, lockFile)
  const status = statSync(file, { throwIfNoEntry: false })
  // LMDB ends the process by a segmentation fault where it may not open the file.
  if (status !== undefined) accessSync(file, constants.R_OK | constants.W_OK)
  if (status !== undefined && status.blocks * 512 >= status.size) return
  try {
    if (status === undefined) writePrivateFile(file, new Uint8Array(lockFileBytes))
    else writePrivateFile(file, readFileSync(file), 'r+')
  } catch (error) {
    if (status === undefined) rmSync(file, { force: true })
    throw error
  }
}

/** What LMDB takes for its 126 readers, and a little more. */
const lockFileBytes = 12_288

/**
 * A file that ends long before its last page would end the process when that page is read: memory maps have no errors.
 * A few pages may rightly be missing, as LMDB leaves out what it freed at the end.
 */
const refuseTruncated = (directory: string, root: RootDatabase<Bytes, Bytes>): void => {
  const { lastPageNumber, pageSize } = root.getStats() as {
    readonly lastPageNumber: number
    readonly pageSize: number
  }
  const file = join(directory, dataFile)
  const missing = lastPageNumber + 1 - statSync(file).size / pageSize
  if (missing > Math.max(8, lastPageNumber / 16)) throw new DamagedState(`${file} ends before its last page`)
}

/** The wanted name, with a number where that is taken. */
export const freeName = (wanted: string): string => {
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`
    if (!existsSync(name)) return name
  }
}
