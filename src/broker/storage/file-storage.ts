import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../base/fault.ts'
import { readBatchHeader } from '../log/record-batch.ts'
import { takeLock } from './lock.ts'
import type { JournalEntry, OpenedLog, Storage } from './storage.ts'

/**
 * A data directory: `journal.jsonl`, and one file of raw batches per partition under `logs/`. Writes go to the
 * operating system at once and are not forced to the disk: they survive the end of the process, not of the machine.
 * What a process that was killed has written half is cut off at the next start.
 */
export const openDataDirectory = (directory: string): Storage => {
  mkdirSync(join(directory, 'logs'), { recursive: true })
  return new FileStorage(directory, takeLock(directory))
}

class FileStorage implements Storage {
  readonly #directory: string
  readonly #journalPath: string
  readonly #releaseLock: () => void
  #journal: number | undefined
  /** A request that was under way when the broker closed must not open files again. */
  #isClosed = false

  constructor(directory: string, releaseLock: () => void) {
    this.#directory = directory
    this.#journalPath = join(directory, 'journal.jsonl')
    this.#releaseLock = releaseLock
  }

  recover(): readonly JournalEntry[] {
    if (!existsSync(this.#journalPath)) return []
    const lines = readFileSync(this.#journalPath, 'utf8').split('\n')
    // The text behind the last line break is what a killed process did not finish.
    return lines.slice(0, -1).map((line, index) => this.#parse(line, index + 1))
  }

  #parse(line: string, lineNumber: number): JournalEntry {
    try {
      return JSON.parse(line) as JournalEntry
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

  rewrite(entries: Iterable<JournalEntry>): void {
    const next = `${this.#journalPath}.next`
    writeFileSync(next, Array.from(entries, (entry) => `${JSON.stringify(entry)}\n`).join(''))
    renameSync(next, this.#journalPath)
    if (this.#journal !== undefined) closeSync(this.#journal)
    this.#journal = openSync(this.#journalPath, 'a')
  }

  record(entry: JournalEntry): void {
    if (this.#isClosed) return
    this.#journal ??= openSync(this.#journalPath, 'a')
    writeSync(this.#journal, `${JSON.stringify(entry)}\n`)
  }

  openLog(topic: string, partition: number, isNew: boolean): OpenedLog {
    const path = this.#logPath(topic, partition)
    if (isNew) rmSync(path, { force: true })
    const recovered = existsSync(path) ? wholeBatches(path) : new Uint8Array(0)
    let file: number | undefined
    return {
      recovered,
      journal: {
        append: (batch) => {
          if (this.#isClosed) return
          file ??= openSync(path, 'a')
          writeSync(file, batch)
        },
        close: () => {
          if (file !== undefined) closeSync(file)
          file = undefined
        },
      },
    }
  }

  deleteLog(topic: string, partition: number): void {
    rmSync(this.#logPath(topic, partition), { force: true })
  }

  close(): void {
    this.#isClosed = true
    if (this.#journal !== undefined) closeSync(this.#journal)
    this.#journal = undefined
    this.#releaseLock()
  }

  #logPath(topic: string, partition: number): string {
    return join(this.#directory, 'logs', `${topic}-${partition}`)
  }
}

/** Reads a log and cuts off a batch that was not written to its end. */
const wholeBatches = (path: string): Uint8Array => {
  const bytes = readFileSync(path)
  let end = 0
  for (let header = readBatchHeader(bytes, 0); header !== undefined; header = readBatchHeader(bytes, end))
    end += header.sizeInBytes
  if (end === bytes.length) return bytes
  const file = openSync(path, 'r+')
  ftruncateSync(file, end)
  closeSync(file)
  return bytes.subarray(0, end)
}
