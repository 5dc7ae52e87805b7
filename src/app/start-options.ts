import type { OptionShape, ValueKind } from '../base/options.ts'
import { optionsInvalid } from '../base/options.ts'
import { callback, clockKind, hasFunctions, synchronous } from '../base/value-kinds.ts'
import type { RuntimeListener } from '../runtime/runtime-settings.ts'
import type { Clock } from '../base/clock.ts'
import type { FailureHandler } from '../task/failure-handler.ts'
import type { Logger } from './logger.ts'
import { logLevels } from './logger.ts'
import type { Authorization } from './queries/request-access.ts'
import type { UncaughtFailureHandler } from './supervisor.ts'

/** Options of `start`. */
export interface StartOptions extends RuntimeListener {
  /** Defaults to the machine's clock. */
  readonly clock?: Clock
  /** Says what becomes of an uncaught failure, instead of the setting `uncaughtFailure`. */
  readonly onUncaughtFailure?: UncaughtFailureHandler
  /** Says what becomes of a record that failed; where it says nothing, the settings do. */
  readonly onFailedRecord?: FailureHandler | undefined
  /**
   * Decides who may read over HTTP, beside the setting `queryToken`: a request is answered where it returns true. It is
   * called for every request but those of web pages and hosts that are refused anyway.
   */
  readonly authorization?: Authorization | undefined
  /**
   * Gets every event: a failure as `error`, what needs attention as `warn`, states as `info`, restorations as `debug`.
   * Defaults to one line on standard error for each warning, and for a failure that no caller handles; `false` logs
   * nothing.
   */
  readonly logger?: Logger | false | undefined
}

const loggerKind: ValueKind = {
  needs: 'a logger',
  accepts: () => true,
  checkParts: (what, value) => {
    const missing = value === false ? [] : logLevels.filter((level) => !hasFunctions(value, level))
    if (missing.length > 0)
      throw optionsInvalid(
        `${what} has no method ${missing.join(', ')}`,
        "give an object with pino's methods debug, info, warn and error, or false to log nothing",
      )
  },
}

export const listenerOptions: OptionShape<RuntimeListener> = {
  onState: callback,
  onWarning: callback,
  onRestore: callback,
}

export const startOptions: OptionShape<StartOptions> = {
  ...listenerOptions,
  clock: clockKind,
  onUncaughtFailure: synchronous,
  onFailedRecord: synchronous,
  authorization: callback,
  logger: loggerKind,
}
