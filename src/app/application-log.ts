import { isFault, messageOf } from '../base/fault.ts'
import { quotedTextOf, withContents, withoutQuotedText } from '../base/record-contents.ts'
import type { EventFields, RuntimeListener } from '../runtime/runtime-settings.ts'
import { attempt } from './attempt.ts'
import { LogLimit } from './log-limit.ts'
import type { Logger, LogLevel } from './logger.ts'
import { standardErrorLogger } from './logger.ts'

export interface ApplicationLogOptions {
  readonly application: string
  /** Undefined is the default: warnings and failures that no caller handles, on standard error. `false` logs nothing. */
  readonly logger: Logger | false | undefined
  readonly listener: RuntimeListener
  /** The setting of that name; defaults to false. */
  readonly logRecordContents?: boolean
}

/** A failure of the application, as it is reported. */
export interface FailureReport {
  readonly failure: unknown
  readonly fields: EventFields
  /** True where `start`, `waitFor` or `done` rejects with it, and a caller has attached a handler. */
  readonly isHandled: boolean
}

/**
 * Logs the events of one application. A logger that the author passes gets every event. The default logger gets every
 * warning, and a failure that no caller handles.
 */
export class ApplicationLog {
  /** The author's listener and the log as one. */
  readonly listener: RuntimeListener
  readonly #options: ApplicationLogOptions
  readonly #given: Logger | false | undefined
  readonly #limit = new LogLimit()

  constructor(options: ApplicationLogOptions) {
    this.#options = options
    this.#given = options.logger ? guarded(options.logger) : options.logger
    const { listener } = options
    this.listener = {
      onState: (state) => {
        if (state !== 'failed') this.#explicit?.info(this.#fields({}), state)
        this.#notify('onState', () => listener.onState?.(state))
      },
      onRestore: (progress) => {
        this.#explicit?.debug(this.#fields(progress), restoreText(progress))
        this.#notify('onRestore', () => listener.onRestore?.(progress))
      },
      onWarning: (message, fields) => {
        const { text, shown } = this.#shown(message, fields)
        this.#warn(text, shown)
        this.#notify('onWarning', () => listener.onWarning?.(text, shown))
      },
    }
  }

  /** Logs a failure. One that no caller handles sets the exit code of the process to 1, unless it is set already. */
  failed({ failure, fields, isHandled }: FailureReport): void {
    const logger = isHandled ? this.#explicit : this.#logger
    const code = isFault(failure) ? failure.code : undefined
    const { text, shown } = this.#shown(
      `the application has failed: ${messageOf(failure)}`,
      withQuotedText(fields, failure),
    )
    logger?.error(this.#fields({ ...shown, code, err: this.#shownError(failure) }), text)
    if (!isHandled && !process.exitCode) process.exitCode = 1
  }

  /** Logs what is left to log. */
  close(): void {
    this.#limit.flush()
  }

  /** A listener that fails is logged as an error, also by the default logger, and stops nothing. */
  #notify(name: string, call: () => unknown): void {
    attempt(call, (error) => {
      const { text, shown } = this.#shown(
        `${name} has failed: ${messageOf(error)}`,
        withQuotedText({ code: 'LISTENER_FAILED' }, error),
      )
      this.#logger?.error(this.#fields({ ...shown, err: this.#shownError(error) }), text)
    })
  }

  #warn(message: string, fields: EventFields = {}): void {
    const logger = this.#logger
    if (logger === undefined) return
    const all = this.#fields(fields)
    this.#limit.run(
      kindOf(message, fields),
      () => logger.warn(all, message),
      (count) => logger.warn({ ...all, count }, `${message} (and ${count} more of this kind)`),
    )
  }

  /** An event as it may be shown: with the contents of records, or without. */
  #shown(message: string, fields: EventFields = {}): { readonly text: string; readonly shown: EventFields } {
    const { contents = {}, ...others } = fields
    if (this.#options.logRecordContents !== true || Object.keys(contents).length === 0)
      return { text: message, shown: others }
    return { text: withContents(message, contents), shown: fields }
  }

  /** An error as it may be shown: loggers print its causes and its fields. */
  #shownError(error: unknown): unknown {
    return this.#options.logRecordContents === true ? error : withoutQuotedText(error)
  }

  get #explicit(): Logger | undefined {
    return this.#given === false ? undefined : this.#given
  }

  get #logger(): Logger | undefined {
    return this.#given === false ? undefined : (this.#given ?? defaultLogger)
  }

  #fields(fields: object): object {
    return { application: this.#options.application, ...fields }
  }
}

/** Fields with what an error quotes. A fault has it among its contents. */
const withQuotedText = (fields: EventFields, error: unknown): EventFields => ({
  ...fields,
  contents: { ...quotedTextOf(error), ...fields.contents },
})

const defaultLogger = standardErrorLogger()

/** A logger that fails breaks nothing: the event goes to standard error, and so does the failure. */
const guarded = (logger: Logger): Logger => {
  const log =
    (level: LogLevel) =>
    (fields: object, message: string): void =>
      attempt(
        () => logger[level](fields, message),
        (error) => {
          defaultLogger.error(fields, `the logger has failed: ${messageOf(error)}`)
          defaultLogger[level](fields, message)
        },
      )
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

const kindOf = (message: string, { code, node, reason }: EventFields): string =>
  code === undefined && reason === undefined ? message : [code, node, reason].join('\u0000')

const restoreText = ({
  store,
  partition,
  restoredRecords,
  remainingRecords,
}: Parameters<NonNullable<RuntimeListener['onRestore']>>[0]): string =>
  `store '${store}', partition ${partition}: ${restoredRecords} records restored, ${remainingRecords} remaining`
