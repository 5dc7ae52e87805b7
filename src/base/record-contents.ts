import { quoted } from './printable.ts'
import { codeOf, framesOf, languageErrors, messageTextOf, withheldMessageOf } from './quoting-errors.ts'
import { elementsOf, isA, isError, isSound, isUnreadable, propertyOf, textOfThrown } from './thrown.ts'

/**
 * Parts of a record by name (key, value, …), quoted and cut. A fault keeps them beside its message, which names the place
 * alone: a log shows them only where the setting `logRecordContents` allows it.
 */
export type RecordContents = Readonly<Record<string, string>>

/** A message with the contents it is about. */
export const withContents = (message: string, contents: RecordContents): string => {
  const parts = Object.entries(contents).map(([name, text]) => `${name} ${text}`)
  return parts.length === 0 ? message : `${message} (record contents: ${parts.join(', ')})`
}

/**
 * An error without the text that it or its causes may quote. `JSON.parse`, `BigInt` and other functions of JavaScript and
 * Node put their arguments into their messages, and zod puts keys and paths of the value into its own. Any other error is
 * returned as it is, because its message is its author's own; one that not all code can read (see `isSound`) is replaced by a
 * plain error with its text. Where an error that it holds quotes (its `cause`, one of its
 * `errors`), it is a copy of the same class that holds that error without the text.
 */
export const withoutQuotedText = (error: unknown): unknown => {
  if (!mayQuote(error)) return error
  const { errors, withheld, isWhole } = reachableFrom(error)
  return withheld.size === 0 && isWhole ? error : new Copies(errors, withheld).of(error)
}

/** What `withoutQuotedText` leaves out. */
export const quotedTextOf = (error: unknown): RecordContents => {
  if (!mayQuote(error)) return {}
  const messages = [...reachableFrom(error).withheld.keys()].map(messageTextOf).filter((text) => text !== '')
  return messages.length === 0 ? {} : { error: quoted(messages.join('; '), longestMessage) }
}

/** Declares that an error, with all that it holds, quotes no record. */
export const markWithoutQuotes = <E extends Error>(error: E): E => {
  withoutQuotes.add(error)
  return error
}

const withoutQuotes = new WeakSet<Error>()
const longestMessage = 200

interface Reachable {
  /** The error and those it holds. */
  readonly errors: ReadonlySet<Error>
  /** Those whose message may quote, or that are not sound, with what to say in place of it. */
  readonly withheld: ReadonlyMap<Error, string>
  /** False where there are more than one looks at. */
  readonly isWhole: boolean
}

const reachableFrom = (root: Error): Reachable => {
  const errors = new Set([root])
  const withheld = new Map<Error, string>()
  let isWhole = true
  for (const error of errors) {
    const message = withheldMessageOf(error) ?? (isSound(error) ? undefined : textOfThrown(error))
    if (message !== undefined) {
      withheld.set(error, message)
      continue
    }
    for (const held of errorsIn(error))
      if (errors.size < mostErrors) errors.add(held)
      else if (!errors.has(held)) isWhole = false
  }
  return { errors, withheld, isWhole }
}

/** A chain of causes has a few errors; an `AggregateError` may have many. */
const mostErrors = 100

/** The errors in an error's own properties (`cause`, `errors`, and what its class calls them) that may quote. */
const errorsIn = (error: Error): readonly Error[] =>
  Object.values(Object.getOwnPropertyDescriptors(error)).flatMap(({ value }) =>
    elementsOf(value)
      .filter(mayQuote)
      .slice(0, mostErrors + 1),
  )

const mayQuote = (value: unknown): value is Error =>
  (isError(value) || isUnreadable(value)) && !withoutQuotes.has(value as Error)

/** Errors without quotes, in place of those that have some or hold one that has. Cycles stay cycles. */
class Copies {
  readonly #errors: ReadonlySet<Error>
  readonly #withheld: ReadonlyMap<Error, string>
  /** The errors that hold one which is replaced. */
  readonly #holders: ReadonlySet<Error>
  readonly #made = new Map<Error, Error>()

  constructor(errors: ReadonlySet<Error>, withheld: ReadonlyMap<Error, string>) {
    this.#errors = errors
    this.#withheld = withheld
    this.#holders = this.#findHolders()
  }

  of(error: Error): Error {
    const message = this.#withheld.get(error)
    if (message === undefined && this.#errors.has(error) && !this.#holders.has(error)) return error
    const known = this.#made.get(error)
    if (known !== undefined) return known
    if (!this.#errors.has(error)) return furtherErrors()
    return message === undefined ? this.#holder(error) : this.#remember(error, withMessage(error, message))
  }

  #findHolders(): ReadonlySet<Error> {
    const holders = new Set<Error>()
    const isReplaced = (held: Error): boolean =>
      this.#withheld.has(held) || holders.has(held) || !this.#errors.has(held)
    for (let before = -1; before < holders.size;) {
      before = holders.size
      for (const error of this.#errors)
        if (!this.#withheld.has(error) && errorsIn(error).some(isReplaced)) holders.add(error)
    }
    return holders
  }

  #remember(error: Error, copy: Error): Error {
    this.#made.set(error, copy)
    return markWithoutQuotes(copy)
  }

  /** A copy of the same class and with the same properties, but for the errors in them and what quotes their messages. */
  #holder(error: Error): Error {
    const copy = this.#remember(error, new Error(this.#text(messageTextOf(error))))
    Object.setPrototypeOf(copy, Object.getPrototypeOf(error) as object)
    for (const [name, descriptor] of propertiesOf(error))
      Object.defineProperty(copy, name, {
        value: this.#value('value' in descriptor ? descriptor.value : propertyOf(error, name)),
        enumerable: descriptor.enumerable ?? false,
        configurable: true,
        writable: true,
      })
    copy.stack = this.#text(error.stack ?? '')
    return copy
  }

  #value(value: unknown): unknown {
    if (typeof value === 'string') return this.#text(value)
    if (mayQuote(value)) return this.of(value)
    const elements = elementsOf(value)
    return elements.some(mayQuote)
      ? elements.slice(0, mostErrors).map((each) => (mayQuote(each) ? this.of(each) : each))
      : value
  }

  /** Who wraps an error often repeats its message. */
  #text(text: string): string {
    let shown = text
    for (const [error, message] of this.#withheld) {
      const quoting = messageTextOf(error)
      if (quoting !== '') shown = shown.replaceAll(quoting, () => message)
    }
    return shown
  }
}

type Properties = readonly (readonly [PropertyKey, PropertyDescriptor])[]

/**
 * The properties that an error has of its own, and those that getters of its class compute: a copy lacks the private fields
 * that they may read.
 */
const propertiesOf = (error: Error): Properties => [
  ...computedPropertiesOf(Object.getPrototypeOf(error) as object | null),
  ...descriptorsOf(error).filter(([name]) => name !== 'stack'),
]

/** Those of the class itself come behind those that it inherits, and so replace them. */
const computedPropertiesOf = (kind: object | null): Properties =>
  kind === null || kind === Error.prototype || kind === Object.prototype
    ? []
    : [
        ...computedPropertiesOf(Object.getPrototypeOf(kind) as object | null),
        ...descriptorsOf(kind).filter(([, descriptor]) => !('value' in descriptor)),
      ]

const descriptorsOf = (object: object): Properties =>
  Reflect.ownKeys(object).map(
    (name) => [name, Object.getOwnPropertyDescriptor(object, name) as PropertyDescriptor] as const,
  )

/** The same kind of error, as its class and its code say what it is about, with its frames and nothing else. */
const withMessage = (error: Error, message: string): Error => {
  const Kind = languageErrors.find((kind) => isA(error, kind)) ?? Error
  const withheld = new Kind(message)
  withheld.stack = `${withheld.name}: ${message}${framesOf(error)}`
  const code = codeOf(error)
  return code === '' ? withheld : Object.assign(withheld, { code })
}

const furtherErrors = (): Error =>
  markWithoutQuotes(new Error(`an error with more than ${mostErrors} causes shows no further ones`))
