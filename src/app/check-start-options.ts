import { Fault } from '../base/fault.ts'
import { refuseUnknownOptions } from '../base/known-options.ts'
import { shown } from '../topology/callback-results.ts'
import type { Logger } from './logger.ts'

/** Refuses what the compiler does not see in JavaScript: an unknown option, a listener or a logger that cannot be called. */
export const checkStartOptions = (
  what: string,
  options: Readonly<Record<string, unknown>>,
  known: readonly string[],
): void => {
  refuseUnknownOptions(what, options, known)
  for (const name of functions) {
    const given = options[name]
    if (given !== undefined && typeof given !== 'function')
      throw invalid(
        `${what}: ${name} is ${shown(given)}, and no function`,
        'give a function, or leave it out',
      )
  }
  checkLogger(what, options['logger'])
}

const functions = ['onState', 'onWarning', 'onRestore', 'onUncaughtFailure', 'onFailedRecord', 'onProgress']

const checkLogger = (what: string, logger: unknown): void => {
  if (logger === undefined || logger === false) return
  const methods = (logger ?? {}) as Partial<Record<keyof Logger, unknown>>
  const missing = levels.filter((level) => typeof methods[level] !== 'function')
  if (missing.length > 0)
    throw invalid(
      `${what}: the logger has no method ${missing.join(', ')}`,
      "give an object with pino's methods debug, info, warn and error, or false to log nothing",
    )
}

const levels = ['debug', 'info', 'warn', 'error'] as const

const invalid = (message: string, remedy: string): Fault =>
  new Fault({ code: 'OPTIONS_INVALID', actor: 'author', message, remedy })
