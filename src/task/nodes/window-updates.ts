import type { ValueAndTimestamp, WindowStore } from '../../state/store.ts'
import { windowed } from '../../topic/windowed.ts'
import type { AnyRecord, EmitPolicy } from '../../topology/node.ts'
import type { Emit } from '../step.ts'
import type { SendUpdate } from './coalesced-updates.ts'
import { storedTimeOf } from './coalesced-updates.ts'

interface WindowUpdatesOptions {
  readonly store: WindowStore<unknown, unknown>
  readonly sizeMs: number
  readonly emit: EmitPolicy
  readonly sendUpdate: SendUpdate
}

/**
 * The windows that one record changes. All aggregates are made before the first is put, and all are put before the first is
 * emitted: a record that fails at one of its windows changes none. The columns serve every record, so nothing is allocated.
 */
export class WindowUpdates {
  readonly #options: WindowUpdatesOptions
  readonly #starts: number[] = []
  readonly #newValues: unknown[] = []
  readonly #timestamps: number[] = []
  /** Null where the window is new. */
  readonly #stored: (ValueAndTimestamp<unknown> | null)[] = []
  readonly #befores: unknown[] = []
  #count = 0

  constructor(options: WindowUpdatesOptions) {
    this.#options = options
  }

  /** Forgets the windows of a record that failed. */
  begin(): void {
    this.#count = 0
  }

  /** `stored` is what the store holds of the window, `before` what the new value was made from. */
  add(
    startMs: number,
    newValue: unknown,
    timestamp: number,
    stored: ValueAndTimestamp<unknown> | null,
    before: unknown,
  ): void {
    const index = this.#count++
    this.#starts[index] = startMs
    this.#newValues[index] = newValue
    this.#timestamps[index] = timestamp
    this.#stored[index] = stored
    this.#befores[index] = before
  }

  /** Puts and emits the windows in the order in which they were added. */
  apply(record: AnyRecord, emit: Emit): void {
    const { emit: policy, sendUpdate, sizeMs } = this.#options
    this.#putAll(record)
    if (policy === 'onWindowClose') return
    const { key } = record
    for (let index = 0; index < this.#count; index++) {
      const startMs = this.#starts[index] as number
      const newValue = this.#newValues[index]
      const timestamp = this.#timestamps[index] as number
      const sentTime = policy === 'onCommit' ? storedTimeOf(record, newValue, timestamp) : timestamp
      const result = record.withKey(windowed(key, startMs, startMs + sizeMs)).withTimestamp(sentTime)
      sendUpdate(emit, result, newValue, this.#stored[index]?.value ?? null, this.#befores[index])
    }
  }

  #putAll(record: AnyRecord): void {
    const { store } = this.#options
    let done = 0
    try {
      for (; done < this.#count; done++) {
        const newValue = this.#newValues[done]
        const storedTime = storedTimeOf(record, newValue, this.#timestamps[done] as number)
        store.put(record.key, newValue, this.#starts[done] as number, storedTime)
      }
    } catch (error) {
      this.#putBack(record, done)
      throw error
    }
  }

  /** A store may refuse the aggregate of one window that it takes of another. */
  #putBack({ key, timestamp }: AnyRecord, count: number): void {
    for (let index = 0; index < count; index++) {
      const stored = this.#stored[index] ?? null
      this.#options.store.put(
        key,
        stored?.value ?? null,
        this.#starts[index] as number,
        stored?.timestamp ?? timestamp,
      )
    }
  }
}
