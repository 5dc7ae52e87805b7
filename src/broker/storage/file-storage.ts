import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { utf8Encode, type Bytes } from '../../base/bytes.ts'
import { Fault, wholeMessageOf } from '../../base/fault.ts'
import { lockDirectory } from '../../files/directory-lock.ts'
import { fileRemedy } from '../../files/file-remedy.ts'
import { makeDirectory } from '../../files/make-directory.ts'
import { copyPrivateFile, writePrivateFile } from '../../files/private-file.ts'
import { Refusal } from '../protocol/errors.ts'
import { AppendFile } from './append-file.ts'
import { FileHandles } from './file-handles.ts'
import { nodeFiles, type FileOperations } from './file-operations.ts'
import { recoverBatches, type LogDamage, type LogReader } from './recover-log.ts'
import type { JournalEntry, LogToOpen, OpenedLog, Storage } from './storage.ts'

export interface DataDirectoryOptions {
  /** Receives what a user must know: damage that was found, writes that failed. */
  readonly report: (error: unknown) => void
  readonly files?: FileOperations
}

/**
 * A data directory: `journal.jsonl`, and one file of raw batches per partition under `logs/`. Writes go to the
 * operating system at once and are not forced to the disk: they survive the end of the process, not of the machine.
 * What a process that was killed has written half is cut off at the next start.
 */
export const openDataDirectory = async (
  directory: string,
  options: DataDirectoryOptions,
): Promise<Storage> => {
  try {
    // Else an unset variable (--data "$DIR") would put the files into the working directory.
    if (directory === '') throw new Error('its path is empty')
    refuseForeign(directory)
    makeDirectory(join(directory, 'logs'))
    const lock = await lockDirectory(directory)
    if (lock.kind === 'taken') throw inUse(directory, lock.holder.pid)
    return new FileStorage(directory, lock.release, options)
  } catch (error) {
    throw error instanceof Fault ? error : unusable(directory, error)
  }
}

/**
 * A start sets aside the logs that its journal does not name. In a project that has a folder `logs` of its own, that would
 * be the files of the project.
 */
const refuseForeign = (directory: string): void => {
  const logs = join(directory, 'logs')
  if (existsSync(join(directory, journalFile)) || !existsSync(logs) || readdirSync(logs).length === 0) return
  throw new Fault({
    code: 'DATA_DIRECTORY_FOREIGN',
    actor: 'author',
    message: `${directory} is not the data directory of a broker: it has files in ${logs}, but no ${journalFile}`,
    remedy: `set dataDirectory (--data) to a directory of its own, or restore ${journalFile} from a copy`,
  })
}

const journalFile = 'journal.jsonl'

class FileStorage implements Storage {
  readonly #directory: string
  readonly #journalPath: string
  readonly #releaseLock: () => void
  readonly #report: (error: unknown) => void
  readonly #handles: FileHandles
  /** The files of the logs that the journal knows. */
  readonly #known = new Set<string>()
  #journal: AppendFile
  #isFailing = false
  /** A request that was under way when the broker closed must not open files again. */
  #isClosed = false

  constructor(
    directory: string,
    releaseLock: () => void,
    { report, files = nodeFiles }: DataDirectoryOptions,
  ) {
    this.#directory = directory
    this.#journalPath = join(directory, journalFile)
    this.#releaseLock = releaseLock
    this.#report = report
    this.#handles = new FileHandles(files)
    this.#journal = new AppendFile(this.#handles, this.#journalPath, 0)
  }

  recover(): readonly JournalEntry[] {
    if (!existsSync(this.#journalPath)) return []
    const bytes = readFileSync(this.#journalPath)
    // What is behind the last line break is what a killed process did not finish.
    const end = bytes.lastIndexOf(10) + 1
    const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1)
    const entries = lines.map((line, index) => this.#parse(line, index + 1))
    this.#handles.operations.truncate(this.#handles.get(this.#journalPath), end)
    this.#journal = new AppendFile(this.#handles, this.#journalPath, end)
    return entries
  }

  #parse(line: string, lineNumber: number): JournalEntry {
    try {
      const entry = JSON.parse(line) as JournalEntry
      if (typeof entry.kind === 'string') return entry
      throw new TypeError(`it is no entry: ${line}`)
    } catch (cause) {
      throw new Fault({
        code: 'DATA_DIRECTORY_UNREADABLE',
        actor: 'author',
        message: `line ${lineNumber} of ${this.#journalPath} cannot be read`,
        remedy: 'delete the data directory, or restore it from a copy',
        cause,
      })
    }
  }

  setUnknownLogsAside(): void {
    const logs = join(this.#directory, 'logs')
    for (const name of readdirSync(logs)) {
      const path = join(logs, name)
      if (this.#known.has(path) || setAside.test(name)) continue
      const { size } = statSync(path)
      // A topic that was being deleted when the process was killed leaves what no request reads again.
      if (size === 0) rmSync(path, { force: true })
      else this.#setAside(name, path, size)
    }
  }

  #setAside(name: string, path: string, size: number): void {
    const kept = `${path}.unknown`
    renameSync(path, kept)
    this.#report(
      new Fault({
        code: 'LOG_UNKNOWN',
        actor: 'runtime',
        message: `${this.#journalPath} names no topic of the log ${name}, which holds ${size} bytes`,
        remedy: `restore the data directory from a copy, or delete the file, which is kept as ${kept}`,
      }),
    )
  }

  /** Where there is no room for a second journal, the longer one stays. */
  rewrite(entries: Iterable<JournalEntry>): void {
    const next = `${this.#journalPath}.next`
    const bytes = utf8Encode(Array.from(entries, lineOf).join(''))
    try {
      writePrivateFile(next, bytes)
      this.#journal.close()
      renameSync(next, this.#journalPath)
      this.#journal = new AppendFile(this.#handles, this.#journalPath, bytes.length)
    } catch (error) {
      rmSync(next, { force: true })
      this.#report(this.#failure(error))
    }
  }

  record(entry: JournalEntry): void {
    this.#append(this.#journal, utf8Encode(lineOf(entry)))
  }

  openLog(log: LogToOpen): OpenedLog {
    const path = this.#logPath(log.topic, log.partition)
    this.#known.add(path)
    if (log.isNew) rmSync(path, { force: true })
    let file: AppendFile | undefined = log.isNew ? new AppendFile(this.#handles, path, 0) : undefined
    return {
      recovered: log.isNew || !existsSync(path) ? [] : this.#recovered(path, log),
      journal: {
        append: (batch) => {
          file ??= new AppendFile(this.#handles, path, this.#sizeOf(path))
          this.#append(file, batch)
        },
        close: () => this.#handles.close(path),
      },
    }
  }

  *#recovered(path: string, log: LogToOpen): Generator<Bytes> {
    const { operations } = this.#handles
    const file = this.#handles.get(path)
    const reader = windowed(operations, file)
    let damage: LogDamage | undefined
    yield* recoverBatches(reader, log.logStartOffset, (found) => (damage = found))
    if (damage !== undefined) this.#cut(path, log, damage)
    this.#handles.close(path)
  }

  #cut(path: string, log: LogToOpen, damage: LogDamage): void {
    if (damage.problem !== undefined) {
      const copy = `${path}.damaged`
      copyPrivateFile(path, copy)
      this.#report(truncated(copy, log, damage, this.#sizeOf(path)))
    }
    this.#handles.operations.truncate(this.#handles.get(path), damage.position)
  }

  #sizeOf(path: string): number {
    return this.#handles.operations.size(this.#handles.get(path))
  }

  /** The error of the file system becomes one of the request. */
  #append(file: AppendFile, bytes: Bytes): void {
    if (this.#isClosed) throw new Refusal('KAFKA_STORAGE_ERROR', 'the broker is closed')
    try {
      file.append(bytes)
      this.#isFailing = false
    } catch (error) {
      const failure = this.#failure(error)
      if (!this.#isFailing) this.#report(failure)
      this.#isFailing = true
      throw new Refusal('KAFKA_STORAGE_ERROR', failure.message)
    }
  }

  #failure(error: unknown): Fault {
    return new Fault({
      code: 'DATA_DIRECTORY_WRITE_FAILED',
      actor: 'runtime',
      message: `the data directory ${this.#directory} cannot be written: ${wholeMessageOf(error)}`,
      remedy: fileRemedy(error, 'dataDirectory (--data)'),
      cause: error,
    })
  }

  deleteLog(topic: string, partition: number): void {
    const path = this.#logPath(topic, partition)
    this.#handles.close(path)
    rmSync(path, { force: true })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#handles.closeAll()
    this.#releaseLock()
  }

  #logPath(topic: string, partition: number): string {
    return join(this.#directory, 'logs', `${topic}-${partition}`)
  }
}

/** Names of files that an earlier start has set aside. */
const setAside = /\.(?:damaged|unknown)$/

const lineOf = (entry: JournalEntry): string => `${JSON.stringify(entry)}\n`

/** Reads a file by the megabyte, as most batches are small. */
const windowed = (operations: FileOperations, file: number): LogReader => {
  let start = 0
  let window: Bytes = new Uint8Array(0)
  return {
    length: operations.size(file),
    read: (position, length) => {
      if (position < start || position + length > start + window.length) {
        window = new Uint8Array(Math.max(length, WINDOW_BYTES))
        window = window.subarray(0, operations.read(file, window, position))
        start = position
      }
      return window.subarray(position - start, position - start + length)
    },
  }
}

const WINDOW_BYTES = 1 << 20

const truncated = (
  copy: string,
  { topic, partition }: LogToOpen,
  { position, offset, problem }: LogDamage,
  length: number,
): Fault =>
  new Fault({
    code: 'LOG_TRUNCATED',
    actor: 'runtime',
    message: `the log ends before byte ${position} of its file, and ${length - position} bytes behind it are left out: ${problem}`,
    remedy: `produce their records again, or restore the data directory from a copy; the file as it was is ${copy}`,
    place: { topic, partition, offset },
  })

const inUse = (directory: string, holder: number): Fault =>
  new Fault({
    code: 'DATA_DIRECTORY_IN_USE',
    actor: 'author',
    message: `the data directory ${directory} is in use by process ${holder}`,
    remedy: 'stop the broker that runs on it, or choose another directory',
  })

const unusable = (directory: string, error: unknown): Fault =>
  new Fault({
    code: 'DATA_DIRECTORY_UNUSABLE',
    actor: 'author',
    message: `the data directory ${directory} cannot be used: ${wholeMessageOf(error)}`,
    remedy: fileRemedy(error, 'dataDirectory (--data)'),
    cause: error,
  })
