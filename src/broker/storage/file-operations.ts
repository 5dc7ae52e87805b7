import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import type { Bytes } from '../../base/bytes.ts'
import { privateFileMode } from '../../files/private-file.ts'

/** What the data directory asks of the file system, so that a test can make a disk full or a write short. */
export interface FileOperations {
  /** Opens a file for reading and writing, and creates it where it is missing. */
  open(path: string): number
  close(file: number): void
  /** Returns how many bytes were written, which may be fewer than asked for. */
  write(file: number, bytes: Bytes, start: number, position: number): number
  read(file: number, into: Bytes, position: number): number
  truncate(file: number, length: number): void
  size(file: number): number
}

export const nodeFiles: FileOperations = {
  open: (path) => openSync(path, constants.O_RDWR | constants.O_CREAT, privateFileMode),
  close: (file) => closeSync(file),
  write: (file, bytes, start, position) => writeSync(file, bytes, start, bytes.length - start, position),
  read: (file, into, position) => readSync(file, into, 0, into.length, position),
  truncate: (file, length) => ftruncateSync(file, length),
  size: (file) => fstatSync(file).size,
}
