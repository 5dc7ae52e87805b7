import type { FileOperations } from './file-operations.ts'

/** Well below the usual limit of 256 to 1,024 open files, of which connections need some too. */
const MAX_OPEN_FILES = 64

/** Open files by path, at most `MAX_OPEN_FILES`: the one that was not used for longest is closed for the next. */
export class FileHandles {
  readonly operations: FileOperations
  readonly #open = new Map<string, number>()

  constructor(operations: FileOperations) {
    this.operations = operations
  }

  get(path: string): number {
    const known = this.#open.get(path)
    if (known !== undefined) this.#open.delete(path)
    else this.#makeRoom()
    const file = known ?? this.operations.open(path)
    this.#open.set(path, file)
    return file
  }

  close(path: string): void {
    const file = this.#open.get(path)
    this.#open.delete(path)
    if (file !== undefined) this.operations.close(file)
  }

  closeAll(): void {
    for (const path of this.#open.keys()) this.close(path)
  }

  #makeRoom(): void {
    if (this.#open.size < MAX_OPEN_FILES) return
    for (const oldest of this.#open.keys()) return this.close(oldest)
  }
}
