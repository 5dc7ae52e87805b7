import type { Clock } from '../base/clock.ts'
import { minutes } from '../base/duration.ts'
import type { Blocked } from '../task/ports.ts'
import type { WarningListener } from './runtime-settings.ts'

export interface BlockedLogOptions {
  readonly clock: Clock
  readonly onWarning: WarningListener
}

/** Warns of steps that held the thread for a second or longer: about the first of a node, then once a minute. */
export class BlockedLog {
  readonly #options: BlockedLogOptions
  readonly #warnedMs = new Map<string, number>()
  readonly #silent = new Map<string, number>()

  constructor(options: BlockedLogOptions) {
    this.#options = options
  }

  note(task: string, event: Blocked): void {
    const { longest, origin } = event
    const node = longest?.node ?? `task ${task}`
    const nowMs = this.#options.clock.monotonicMs()
    const beforeMs = this.#warnedMs.get(node)
    const silent = this.#silent.get(node) ?? 0
    if (beforeMs !== undefined && nowMs - beforeMs < intervalMs) {
      this.#silent.set(node, silent + 1)
      return
    }
    this.#warnedMs.set(node, nowMs)
    this.#silent.delete(node)
    const further = silent === 0 ? '' : `; ${silent} more since the last warning`
    this.#options.onWarning(`${messageOf(event)}${further}; ${remedy}`, {
      code: 'THREAD_BLOCKED',
      task,
      ...origin,
      node: longest?.node,
    })
  }
}

const intervalMs = minutes(1)

const remedy =
  'heartbeats, timers and queries wait for it: move slow work to mapAsync or to a worker thread of your own, or divide it'

const messageOf = ({ durationMs, longest, origin }: Blocked): string => {
  const record =
    origin === undefined
      ? ''
      : ` at topic ${origin.topic}, partition ${origin.partition}, offset ${origin.offset}`
  return longest === undefined
    ? `one of the last records blocked the thread for ${durationMs} ms${record}; its node is named the next time`
    : `node ${longest.node} blocked the thread for ${longest.durationMs} ms${record}`
}
