import type { OptionShape, ValueKind } from '../base/options.ts'
import { optionsInvalid } from '../base/options.ts'
import { anyObject, callback, synchronous } from '../base/value-kinds.ts'
import type { RuntimeListener } from '../runtime/runtime-settings.ts'
import type { Topology } from '../topology/topology.ts'
import type { StartOptions } from './start.ts'

const isTopology = (value: unknown): value is Topology =>
  anyObject.accepts(value) && Array.isArray((value as Partial<Topology>).nodes)

export const topologyKind: ValueKind = {
  needs: 'a topology',
  example: 'topology(name, define)',
  accepts: isTopology,
}

const levels = ['debug', 'info', 'warn', 'error'] as const

const loggerKind: ValueKind = {
  needs: 'a logger',
  accepts: () => true,
  checkParts: (what, value) => {
    const missing = value === false ? [] : levels.filter((level) => !hasMethods(value, level))
    if (missing.length > 0)
      throw optionsInvalid(
        `${what} has no method ${missing.join(', ')}`,
        "give an object with pino's methods debug, info, warn and error, or false to log nothing",
      )
  },
}

const clockKind: ValueKind = {
  needs: 'a clock',
  example: 'new ManualClock()',
  accepts: (value) => hasMethods(value, 'now', 'setTimer'),
}

const hasMethods = (value: unknown, ...names: readonly string[]): boolean =>
  anyObject.accepts(value) &&
  names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')

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
  logger: loggerKind,
}
