import { quoted } from './printable.ts'

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
 * An error without the text that it may quote. `JSON.parse`, `BigInt` and other functions of JavaScript and Node put their
 * arguments into their messages, and zod puts keys and paths of the value into its own. Any other error is returned as it
 * is, because its message is its author's own.
 */
export const withoutQuotedText = (error: unknown): unknown => {
  if (!(error instanceof Error) || withoutQuotes.has(error)) return error
  const message = withheldMessageOf(error)
  return message === undefined ? error : withMessage(error, message)
}

/** What `withoutQuotedText` leaves out. */
export const quotedTextOf = (error: unknown): RecordContents =>
  withoutQuotedText(error) === error ? {} : { error: quoted((error as Error).message, longestMessage) }

/** Says of an error of zod that nothing in it is a record's. */
export const markWithoutQuotes = <E extends Error>(error: E): E => {
  withoutQuotes.add(error)
  return error
}

const withoutQuotes = new WeakSet<Error>()

/** What to say in place of a message that may quote; undefined of a message that is its author's. */
const withheldMessageOf = (error: Error): string | undefined => {
  const { message } = error
  // V8: `Unexpected token 'a', "abc" is not valid JSON`.
  if (error instanceof SyntaxError && message.endsWith('is not valid JSON'))
    return 'the text is not valid JSON'
  const issues = issuesOf(error)
  if (issues !== undefined) return `the value breaks its schema: ${textOfIssues(issues)}`
  if (!isOfPlatform(error) || isConstant(message)) return undefined
  const thrower = throwingBuiltIn(error) ?? (quotingOperator.test(message) ? 'an operator' : undefined)
  return thrower === undefined
    ? undefined
    : `${thrower} has thrown ${nameOf(error)} (logRecordContents shows what it says)`
}

/** The same kind of error, as its class says what it is about. */
const withMessage = (error: Error, message: string): Error => {
  const Kind = languageErrors.find((kind) => error instanceof kind) ?? Error
  const withheld = new Kind(message)
  if (error.stack !== undefined) withheld.stack = error.stack.replace(error.message, () => message)
  return markWithoutQuotes(withheld)
}

const languageErrors = [SyntaxError, TypeError, RangeError] as const

/** True of errors that JavaScript and Node make of arguments; those of networks name hosts and ports, and are shown. */
const isOfPlatform = (error: Error): boolean => {
  const { code, syscall, path } = error as { code?: unknown; syscall?: unknown; path?: unknown }
  return (
    languageErrors.some((kind) => error.constructor === kind) ||
    (typeof code === 'string' && argumentCodes.test(code)) ||
    (syscall !== undefined && path !== undefined) ||
    error.name === 'DataCloneError'
  )
}

const argumentCodes = /^ERR_(INVALID|OUT_OF_RANGE|UNKNOWN|ENCODING)/

const nameOf = (error: Error): string => {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? `${error.name} ${code}` : error.name
}

/**
 * The function of JavaScript or Node that threw, from the first line of the stack: `at BigInt (<anonymous>)`. A callback
 * that throws has a line of its own there.
 */
const throwingBuiltIn = ({ stack = '', message }: Error): string | undefined => {
  const lines = stack.slice(stack.indexOf(message) + message.length)
  return /^\n\s+at (?:async )?(.+) \((?:<anonymous>|native|node:[^)]*)\)/.exec(lines)?.[1]
}

/** `'…' in value`, and a property whose name is no word, and so hardly stands in the program. */
const quotingOperator =
  /^Cannot (?:use 'in' operator|(?:read|set) properties of |(?:add|delete|define|redefine|assign to read only) property )/

/** What V8 says without a word of its arguments, or with the name of a property as programs have them. */
const isConstant = (message: string): boolean =>
  constantMessages.has(message) || ofNamedProperty.test(message)

const constantMessages: ReadonlySet<string> = new Set([
  'Invalid array length',
  'Invalid string length',
  'Invalid time value',
  'Maximum call stack size exceeded',
  'Reduce of empty array with no initial value',
  'URI malformed',
  'fetch failed',
  'terminated',
])
const ofNamedProperty =
  /^Cannot (?:(?:read|set) properties of (?:undefined|null)(?: \((?:reading|setting) '[\w$]+'\))?$|(?:add|delete|define|redefine|assign to read only) property:? '?[\w$]+'?(?:,| of object '(?:#<\w+>|\[object Array\])'$|$))/

interface Issue {
  readonly code: unknown
  readonly message: unknown
  readonly keys?: readonly unknown[]
}

/** Of an error of zod, whichever version of it the callback uses. */
const issuesOf = (error: Error): readonly Issue[] | undefined => {
  const { issues } = error as { issues?: unknown }
  return error.name.endsWith('ZodError') && Array.isArray(issues) ? (issues as Issue[]) : undefined
}

const textOfIssues = (issues: readonly Issue[]): string => {
  const texts = issues.slice(0, mostIssues).map(textOfIssue)
  return issues.length > mostIssues
    ? `${texts.join(', ')} and ${issues.length - mostIssues} more issues`
    : texts.join(', ')
}

/** Zod quotes the keys that a strict object does not have; the texts of all other issues name types and limits. */
const textOfIssue = ({ code, message, keys = [] }: Issue): string =>
  code === 'unrecognized_keys'
    ? `it has ${keys.length === 1 ? '1 unrecognized key' : `${keys.length} unrecognized keys`}`
    : String(message)

const mostIssues = 10
const longestMessage = 200
