import type { Clock } from '../base/clock.ts'

export interface NodeTime {
  readonly node: string
  readonly durationMs: number
}

/**
 * How long each node of a task works for itself, without the nodes that it hands records to. Only slow tasks are measured:
 * it costs two readings of the clock for each node and record.
 */
export class NodeTimes {
  readonly #clock: Clock
  readonly #durations = new Map<string, number>()
  readonly #path: string[] = []
  #sinceMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Forgets what was measured. */
  begin(): void {
    this.#durations.clear()
    this.#path.length = 0
  }

  enter(node: string): void {
    this.#attribute()
    this.#path.push(node)
  }

  leave(): void {
    this.#attribute()
    this.#path.pop()
  }

  /** The node that took the longest; undefined where none was measured. */
  get longest(): NodeTime | undefined {
    let longest: NodeTime | undefined
    for (const [node, durationMs] of this.#durations)
      if (longest === undefined || durationMs > longest.durationMs) longest = { node, durationMs }
    return longest
  }

  /** The time since the last step belongs to the node that is at work. */
  #attribute(): void {
    const nowMs = this.#clock.monotonicMs()
    const node = this.#path.at(-1)
    if (node !== undefined)
      this.#durations.set(node, (this.#durations.get(node) ?? 0) + nowMs - this.#sinceMs)
    this.#sinceMs = nowMs
  }
}
