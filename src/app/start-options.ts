import type { OptionShape, ValueKind } from '../base/options.ts'
import { optionsInvalid } from '../base/options.ts'
import { callback, clockKind, hasFunctions, synchronous } from '../base/value-kinds.ts'
import type { RuntimeListener } from '../runtime/runtime-settings.ts'
import { logLevels } from './logger.ts'
import type { StartOptions } from './start.ts'

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
