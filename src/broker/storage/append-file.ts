import type { Bytes } from '../../base/bytes.ts'
import type { FileHandles } from './file-handles.ts'

/**
 * A file that grows by whole pieces. A piece that cannot be written to its end leaves nothing behind: the file is cut to
 * its length before, at the latest before the next piece.
 */
export class AppendFile {
  readonly #handles: FileHandles
  readonly #path: string
  #length = 0
  /** Whether bytes of a failed piece may lie behind `#length`. */
  #hasRest = false

  constructor(handles: FileHandles, path: string, length: number) {
    this.#handles = handles
    this.#path = path
    this.#length = length
  }

  append(bytes: Bytes): void {
    const file = this.#handles.get(this.#path)
    if (this.#hasRest) this.#cutRest(file)
    this.#hasRest = true
    try {
      this.#write(file, bytes)
    } catch (error) {
      this.#tryToCut(file)
      throw error
    }
    this.#length += bytes.length
    this.#hasRest = false
  }

  #write(file: number, bytes: Bytes): void {
    for (let written = 0; written < bytes.length;) {
      const count = this.#handles.operations.write(file, bytes, written, this.#length + written)
      if (count === 0) throw new Error(`nothing more can be written to ${this.#path}`)
      written += count
    }
  }

  #cutRest(file: number): void {
    this.#handles.operations.truncate(file, this.#length)
    this.#hasRest = false
  }

  #tryToCut(file: number): void {
    try {
      this.#cutRest(file)
    } catch {
      // The next piece tries again.
    }
  }

  close(): void {
    this.#handles.close(this.#path)
  }
}
