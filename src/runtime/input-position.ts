import type { InputStart } from './input-starts.ts'
import type { CommittedTopic } from './offset-metadata.ts'

/** What is committed of one input partition of a task, and which topic its offsets belong to. */
export class InputPosition {
  committedOffset: number
  /** False until the group knows where the input begins. */
  isCommitted: boolean
  #topicId: string | undefined
  readonly #partitions: number | undefined
  /** The topic of the records that waited when the first ones of a topic of the same name came. */
  #earlier: { readonly topicId: string | undefined; fetched: number } | undefined

  constructor({ offset, topicId, partitions, isNew = false }: InputStart) {
    this.committedOffset = offset
    this.isCommitted = !isNew
    this.#topicId = topicId
    this.#partitions = partitions
  }

  /** True where nothing has to be committed. An offset may also go back: in a topic that was created again. */
  isAt(offset: number): boolean {
    return this.isCommitted && offset === this.committedOffset
  }

  committed(offset: number): void {
    this.committedOffset = offset
    this.isCommitted = true
  }

  /** So many records of this topic came in, behind those that wait. */
  fetched(topicId: string, records: number, waiting: number): void {
    if (topicId !== this.#topicId) {
      if (waiting > 0) this.#earlier = { topicId: this.#topicId, fetched: 0 }
      this.#topicId = topicId
    }
    if (this.#earlier !== undefined) this.#earlier.fetched += records
  }

  /** The topic of the last record that was taken, when so many wait. */
  topicOf(waiting: number): CommittedTopic | undefined {
    if (this.#earlier !== undefined && waiting <= this.#earlier.fetched) this.#earlier = undefined
    const id = this.#earlier === undefined ? this.#topicId : this.#earlier.topicId
    const partitions = this.#partitions
    return id === undefined || partitions === undefined ? undefined : { id, partitions }
  }
}
