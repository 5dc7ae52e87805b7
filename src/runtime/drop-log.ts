import type { Clock } from '../base/clock.ts'
import { minutes } from '../base/duration.ts'
import type { DropReason } from '../task/ports.ts'
import type { Metrics } from './metrics.ts'
import type { WarningListener } from './runtime-settings.ts'

const intervalMs = minutes(1)

const hasOwnWarning: ReadonlySet<DropReason> = new Set(['failed', 'pipelineCompleted'])

export interface DropLogOptions {
  readonly metrics: Metrics
  readonly clock: Clock
  readonly onWarning: WarningListener
}

/**
 * Warns about dropped records, by node and reason: about the first one at once, about the others once a minute with
 * their number. It reads the counters, so a further dropped record costs nothing more. Records that failed have a
 * warning each already.
 */
export class DropLog {
  readonly #options: DropLogOptions
  readonly #reported = new Map<string, number>()
  #cancel: (() => void) | undefined

  constructor(options: DropLogOptions) {
    this.#options = options
    options.metrics.onFirstDrop = (reason, node) => {
      if (hasOwnWarning.has(reason)) return
      this.#warn(reason, node, 1)
      this.#cancel ??= options.clock.setTimer(() => this.#summarise(), intervalMs)
    }
  }

  /** Reports what is not reported yet. */
  close(): void {
    this.#cancel?.()
    this.#cancel = () => undefined
    this.#report()
  }

  #summarise(): void {
    this.#report()
    this.#cancel = this.#options.clock.setTimer(() => this.#summarise(), intervalMs)
  }

  #report(): void {
    for (const { reason, node, records } of this.#options.metrics.snapshot().dropped) {
      const further = records - (this.#reported.get(keyOf(reason, node)) ?? 0)
      if (!hasOwnWarning.has(reason) && further > 0) this.#warn(reason, node, further)
    }
  }

  #warn(reason: string, node: string, records: number): void {
    const key = keyOf(reason, node)
    this.#reported.set(key, (this.#reported.get(key) ?? 0) + records)
    const what = records === 1 ? '1 record was dropped' : `${records} records were dropped`
    this.#options.onWarning(`${what} at node ${node}: ${reason}`, { node, reason, records })
  }
}

const keyOf = (reason: string, node: string): string => `${reason} ${node}`
