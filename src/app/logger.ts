import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { callback, oneOf, synchronous } from '../base/value-kinds.ts'
import { printableLine } from '../base/printable.ts'
import { systemClock } from '../base/system-clock.ts'

/**
 * Takes log events. The methods are those of pino, so that a pino logger is one; so is bunyan's.
 *
 * @example
 * const lines: string[] = []
 * const log = (fields: object, message: string): void => void lines.push(`${JSON.stringify(fields)} ${message}`)
 * const logger: Logger = { debug: log, info: log, warn: log, error: log }
 * await start(payment, { bootstrapServers: 'localhost:9092' }, { logger })
 */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** A level of a logger. */
export type LogLevel = keyof Logger

/** Options of `standardErrorLogger`. */
export interface StandardErrorLoggerOptions {
  /** The lowest level that is written; defaults to `warn`. */
  readonly level?: LogLevel
  /** Defaults to the time of the machine, in milliseconds since the epoch. */
  readonly now?: () => number
  /** Defaults to standard error. */
  readonly write?: (line: string) => void
}

/** From the least important to the most. */
export const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

const loggerOptions: OptionShape<StandardErrorLoggerOptions> = {
  level: oneOf(...logLevels),
  now: synchronous,
  write: callback,
}

/**
 * A logger that writes one line per event to standard error: time, level, application, task and message. Control characters
 * are escaped.
 *
 * @example
 * const logger = standardErrorLogger({ level: 'info' })
 * await start(payment, { bootstrapServers: 'localhost:9092' }, { logger })
 * // 2026-11-30T09:00:00.000Z INFO payment: running
 */
export const standardErrorLogger = (options: StandardErrorLoggerOptions = {}): Logger => {
  checkOptions('standardErrorLogger', options, loggerOptions)
  const { level = 'warn', now = () => systemClock.now(), write = writeToStandardError } = options
  const lowest = logLevels.indexOf(level)
  const log =
    (each: LogLevel) =>
    (fields: object, message: string): void => {
      if (logLevels.indexOf(each) >= lowest) write(lineOf(new Date(now()), each, fields, message))
    }
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

const lineOf = (time: Date, level: LogLevel, fields: object, message: string): string => {
  const { application, task } = fields as { readonly application?: string; readonly task?: string }
  const source = [application, task === undefined ? undefined : `[${task}]`].filter(
    (part) => part !== undefined,
  )
  const text = [source.join(' '), printableLine(message)].filter((part) => part !== '').join(': ')
  return `${time.toISOString()} ${level.toUpperCase()} ${text}\n`
}

const writeToStandardError = (line: string): void => void process.stderr.write(line)
