import { printable, printableLine } from './printable.ts'
import type { RecordContents } from './record-contents.ts'
import { markWithoutQuotes, quotedTextOf, withoutQuotedText } from './record-contents.ts'
import { framesOf } from './quoting-errors.ts'
import { isA, isError, propertyOf, textOfThrown } from './thrown.ts'

/**
 * A fault says what happened, where, and who must act: every error that Millrace raises on purpose is one.
 *
 * - `author`: the topology, saga or settings are wrong; fix the code before it runs.
 * - `record`: one record is bad; its failure policy (fail, skip, dead letter) decides.
 * - `retry`: the world was busy; trying again is right and the runtime does so by itself.
 * - `runtime`: the task or process cannot go on; restart it or change its surroundings.
 */
export type FaultActor = 'author' | 'record' | 'retry' | 'runtime'

/** Where a fault happened; every part that is known is given. */
export interface FaultPlace {
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  readonly offset?: number | bigint | undefined
  readonly node?: string | undefined
  readonly store?: string | undefined
}

/** What a `Fault` is made of. */
export interface FaultDetails {
  /** Stable, machine-readable: `UPPER_SNAKE_CASE`. */
  readonly code: string
  readonly actor: FaultActor
  /** What happened, in a sentence without a final stop. */
  readonly message: string
  /** The way out, in a sentence without a final stop. */
  readonly remedy?: string | undefined
  readonly place?: FaultPlace | undefined
  /** Parts of the record that the fault is about, quoted. The message never has them. */
  readonly contents?: RecordContents | undefined
  readonly cause?: unknown
}

/**
 * An error with a stable code, the place it happened at and the way out.
 *
 * @example
 * throw new Fault({ code: 'TOPIC_MISSING', actor: 'author', message: 'topic orders does not exist',
 *   remedy: 'create it with: millrace topics --create --topic orders', place: { topic: 'orders' } })
 */
export class Fault extends Error {
  readonly code: string
  readonly actor: FaultActor
  readonly place: FaultPlace
  readonly remedy: string | undefined
  /** What happened, without place and remedy. */
  readonly summary: string
  /** Private, so that neither a logger that prints an error's fields nor `util.inspect` shows them. */
  readonly #contents: RecordContents

  constructor(details: FaultDetails) {
    super(
      describe(details),
      details.cause === undefined ? undefined : { cause: withoutQuotedText(details.cause) },
    )
    this.name = 'Fault'
    this.code = details.code
    this.actor = details.actor
    this.place = details.place ?? {}
    this.remedy = details.remedy
    this.summary = details.message
    this.#contents = { ...contentsOf(details.cause), ...quotedTextOf(details.cause), ...details.contents }
    markWithoutQuotes(this)
  }

  /** Parts of the record that the fault and its causes are about. Logs show them only with `logRecordContents`. */
  get contents(): RecordContents {
    return this.#contents
  }
}

/**
 * True where `error` is a fault, of the given code if one is named.
 *
 * @example
 * const mayRetry = (error: unknown): boolean => isFault(error, 'STORE_NOT_READY')
 */
export const isFault = (error: unknown, code?: string): error is Fault =>
  isA(error, Fault) && (code === undefined || error.code === code)

/** The same fault with another actor, remedy or contents. */
export const changed = (
  { code, actor, summary, remedy, place, contents, cause }: Fault,
  change: Partial<Pick<Fault, 'actor' | 'remedy' | 'place' | 'contents'>>,
): Fault => new Fault({ code, actor, message: summary, remedy, place, contents, cause, ...change })

/** Anything thrown, as a fault with these parts of its place too, where it is a fault. */
export const placed = (error: unknown, place: FaultPlace): unknown =>
  isFault(error) ? changed(error, { place: { ...error.place, ...place } }) : error

/** True of what V8 throws where functions call each other too deep; other `RangeError`s are about values. */
export const isStackOverflow = (error: unknown): boolean =>
  isA(error, RangeError) && textOfThrown(error).includes('call stack')

/** The parts of a record that anything thrown is about. */
export const contentsOf = (error: unknown): RecordContents => (isFault(error) ? error.contents : {})

/**
 * The message of anything thrown, as a log may show it: that of a foreign error is escaped, cut where it is long, and
 * without the text that functions of JavaScript and Node quote.
 */
export const messageOf = (error: unknown): string => {
  if (isFault(error)) return error.message
  return wholeMessageOf(withoutQuotedText(error))
}

/** The same with what it quotes, for errors of what an author wrote, where no record is read yet. */
export const wholeMessageOf = (error: unknown): string => {
  const message = printableLine(textOfThrown(error).slice(0, longestMessage + 1))
  return message.length > longestMessage ? `${message.slice(0, longestMessage)}...` : message
}

/** The stack of anything thrown: its frames, under the message as `messageOf` shows it. */
export const printableStackOf = (error: unknown): string | undefined => {
  if (!isError(error) || propertyOf(error, 'stack') === undefined) return undefined
  const frames = framesOf(error).split('\n').map(printable).join('\n')
  const name = textOfThrown(propertyOf(error, 'name'))
  return `${printableLine(name)}: ${messageOf(error)}${frames}`
}

/** An exception may quote a whole record: its message must fit a log line and a header of a dead letter. */
const longestMessage = 4_096

const describe = ({ message, place, remedy }: FaultDetails): string => {
  const where = Object.entries(place ?? {})
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ')
  return `${message}${where === '' ? '' : ` (${where})`}${remedy === undefined ? '' : `; ${remedy}`}`
}
