import { isA, propertyOf, textOfThrown } from './thrown.ts'

/**
 * What to say in place of an error's message that may quote a value; undefined of a message that is its author's own. It
 * looks at one error, not at its causes.
 */
export const withheldMessageOf = (error: Error): string | undefined => {
  const message = messageTextOf(error)
  // V8: `Unexpected token 'a', "abc" is not valid JSON`.
  if (isA(error, SyntaxError) && message.endsWith('is not valid JSON')) return 'the text is not valid JSON'
  const issues = issuesOf(error)
  if (issues !== undefined) return `the value breaks its schema: ${listIssues(issues, textOfIssue)}`
  if (propertyOf(error, 'name') === 'AssertionError') return assertionText(error, message)
  if (isOfFile(error)) return fileText.exec(message)?.[1] ?? withheldText(error, systemCallOf(error))
  if (!isOfPlatform(error, message) || harmless.some((each) => each.test(message))) return undefined
  const thrower = throwingBuiltIn(error) ?? (mayQuote(error, message) ? 'JavaScript or Node' : undefined)
  return thrower === undefined ? undefined : withheldText(error, thrower)
}

/** The message; a program may set anything in its place. */
export const messageTextOf = (error: Error): string => textIn(error, 'message')

const textIn = (error: Error, name: string): string => {
  const text = propertyOf(error, name)
  return typeof text === 'string' ? text : ''
}

/** The frames of an error's stack, each on a line of its own; empty where it has none. */
export const framesOf = (error: Error): string => {
  const stack = textIn(error, 'stack')
  const message = messageTextOf(error)
  const at = message === '' ? -1 : stack.indexOf(message)
  const rest = at < 0 ? '' : stack.slice(at + message.length)
  // The message may have been changed since, and its lines may look like frames.
  return frames.exec(rest)?.[0] ?? lastFrames.exec(stack)?.[0] ?? ''
}

const frames = /^(?:\n[ \t]+at [^\n]*)+/
const lastFrames = /(?:\n[ \t]+at [^\n]*)+$/

const withheldText = (error: Error, thrower: string): string =>
  `${thrower} has thrown ${nameOf(error)} (logRecordContents shows what it says)`

const nameOf = (error: Error): string => {
  const code = codeOf(error)
  const name = textIn(error, 'name')
  return code === '' ? name : `${name} ${code}`
}

/** The code of an error as Node and its system calls write it; empty where there is none. */
export const codeOf = (error: Error): string => {
  const code = propertyOf(error, 'code')
  return typeof code === 'string' && codeFormat.test(code) ? code : ''
}

const codeFormat = /^[A-Z][A-Z0-9_]*$/

/** The classes of errors that JavaScript itself throws with its arguments in their messages. */
export const languageErrors = [SyntaxError, TypeError, RangeError] as const

const isLanguageError = (error: Error): boolean => {
  const kind = propertyOf(error, 'constructor')
  return languageErrors.some((each) => each === kind)
}

/**
 * True of errors that JavaScript and Node make of arguments. Errors of networks, TLS and streams name hosts, ports and
 * certificates, and are shown.
 */
const isOfPlatform = (error: Error, message: string): boolean =>
  isLanguageError(error) ||
  isOfNode(error) ||
  propertyOf(error, 'name') === 'DataCloneError' ||
  (propertyOf(error, 'status') !== undefined && message.startsWith('Command failed'))

const isOfNode = (error: Error): boolean => {
  const code = codeOf(error)
  if (code.endsWith('MODULE_NOT_FOUND')) return true
  if (!code.startsWith('ERR_') || shownCodes.test(code)) return false
  // Libraries have such codes too, but classes of their own, and neither Node's frames nor its way to write the code.
  return isLanguageError(error) || isThrownByNode(error) || textIn(error, 'stack').includes(` [${code}]: `)
}

const shownCodes = /^ERR_(?:TLS|SSL|STREAM|SOCKET_(?!BAD)|WORKER|IPC|SERVER)_/

const isThrownByNode = (error: Error): boolean => /^\n[ \t]+at [^\n]*\(?node:/.test(framesOf(error))

/** Of a system call that names a file: `ENOENT: no such file or directory, open 'path'`. */
const isOfFile = (error: Error): boolean =>
  typeof propertyOf(error, 'syscall') === 'string' && propertyOf(error, 'path') !== undefined

const fileText = /^([A-Z][A-Z0-9]*: [^']*?) '/

/** `open`, or `spawn name`, which has the name of a program. */
const systemCallOf = (error: Error): string => textIn(error, 'syscall').split(' ')[0] as string

/**
 * `node:assert` appends the values it compared to a message of the program's own, unless it made the whole message. The
 * messages of other libraries' assertions quote values too.
 */
const assertionText = (error: Error, message: string): string => {
  const operator = propertyOf(error, 'operator')
  const isOwn = propertyOf(error, 'generatedMessage') === false && operator !== 'ifError'
  if (isOwn) return message.split('\n+ actual - expected')[0] as string
  return withheldText(
    error,
    typeof operator === 'string' && /^\w+$/.test(operator) ? `assert.${operator}` : 'assert',
  )
}

/**
 * The function of JavaScript or Node that threw, from the first line of the stack: `at BigInt (<anonymous>)`. A callback
 * that throws has a line of its own there.
 */
const throwingBuiltIn = (error: Error): string | undefined => {
  const [, name] =
    /^\n[ \t]+at (?:async )?([^\n]+) \((?:<anonymous>|native|node:[^)\n]*)\)/.exec(
      framesOf(error).replace(errorFactories, ''),
    ) ?? []
  return name
}

const errorFactories = /^(?:\n[ \t]+at [^\n]*\(node:internal\/errors:[^\n]*)+/

/** True of errors without a frame, which native code rejects with, and of what V8 throws in the frame of a callback. */
const mayQuote = (error: Error, message: string): boolean =>
  framesOf(error) === '' || isOfNode(error) || templates.some((each) => each.test(message))

/**
 * The templates of V8's messages with room for a value, of those that operators throw: these have no function and no frame
 * of their own. Which of their messages only hold names is listed in `harmless`.
 */
const templates: readonly RegExp[] = [
  /^Cannot use 'in' operator to search for /,
  /^Cannot (?:read|set) properties of /,
  /^Cannot (?:add|define) property [^]*, object is not extensible$/,
  /^Cannot (?:assign to read only|create|delete) property '/,
  /^Cannot redefine property: /,
  /^Cannot set property [^]* which has only a getter$/,
  /^Cannot convert [^]* to a BigInt$/,
  /^The number [^]* cannot be converted to a BigInt/,
  /^Class extends value /,
  /^Function has non-object prototype /,
  /^Function\.prototype\.apply was called on /,
  /^Iterator (?:result|value) [^]* is not an /,
  /^Method [^]* called on incompatible receiver /,
  /^Object prototype may only be an Object or null: /,
  /^Super constructor [^]* of /,
  /^'\w+' on proxy: /,
  / is not (?:a constructor|a function|(?:async )?iterable|an iterator|a promise|a symbol|extensible)\b/,
  /^Identifier '[^]*' has already been declared$/,
  /^(?:Undefined label|Unexpected (?:identifier|token)) '/,
  /^Invalid (?:regular expression|flags)/,
  /^Failed to parse URL from /,
]

/** A name as programs have them, and an index. A long run of digits is the number of something. */
const name = String.raw`(?:(?!\w*\d{4})[A-Za-z_$][\w$]{0,39}|\d{1,2})`
const object = String.raw`(?:#<${name}>|\[object (?:Object|Array)\])`
/** As V8 prints the source text of an expression; of a value, it prints the type before. */
const source = String.raw`(?!(?:bigint|boolean|number|object|string|symbol) )(?![^]*\d{4})[\w$.?#()[\]{} ,]+`

/** Messages of V8 and Node without a value, or with a name in its place. */
const harmless: readonly RegExp[] = [
  /^(?:Invalid array length|Invalid string length|Invalid time value|Maximum call stack size exceeded)$/,
  /^(?:Reduce of empty array with no initial value|URI malformed|Unexpected end of JSON input)$/,
  /^(?:Do not know how to serialize a BigInt|Cannot mix BigInt and other types, use explicit conversions)$/,
  /^(?:fetch failed|terminated|The encoded data was not valid for encoding [\w-]+)$/,
  /^(?!Unexpected token )[^"]* JSON at position \d+(?: \(line \d+ column \d+\))?$/,
  ...[
    `Cannot (?:read|set) properties of (?:undefined|null)(?: \\((?:reading|setting) '${name}'\\))?`,
    `Cannot (?:add|define) property ${name}, object is not extensible`,
    `Cannot redefine property: ${name}`,
    `Cannot delete property '${name}' of ${object}`,
    `Cannot assign to read only property '${name}' of object '${object}'`,
    `Cannot set property ${name} of ${object} which has only a getter`,
    `'\\w+' on proxy: trap returned falsish for property '${name}'`,
    `Super constructor (?:null|undefined|${object}) of (?:anonymous class|${name}(?: is not a constructor)?)`,
    `(?:function|object|object null|undefined) is not iterable \\(cannot read property Symbol\\(Symbol\\.iterator\\)\\)`,
    `${source} is not (?:a constructor|a function|(?:async )?iterable|a function or its return value is not (?:async )?iterable)`,
  ].map((each) => new RegExp(`^${each}$`)),
]

/** Of an error of zod, whichever version of it the callback uses. */
const issuesOf = (error: Error): readonly unknown[] | undefined => {
  const issues = textIn(error, 'name').endsWith('ZodError') ? propertyOf(error, 'issues') : undefined
  return Array.isArray(issues) ? (issues as unknown[]) : undefined
}

/** The first issues of a list, and the number of the others: a value may break its schema a million times. */
export const listIssues = <Issue>(issues: readonly Issue[], textOf: (issue: Issue) => string): string => {
  const texts = issues.slice(0, mostIssues).map(textOf).join(', ')
  const more = issues.length - mostIssues
  return more > 0 ? `${texts} and ${more} more issues` : texts
}

/** The text of the issue of zod that quotes the keys which a strict object does not have, without them. */
export const textOfUnknownKeys = ({ length }: readonly unknown[]): string =>
  `it has ${length === 1 ? '1 unrecognized key' : `${length} unrecognized keys`}`

/**
 * Zod quotes the keys that a strict object does not have, and zod 3 what an enumeration received; the texts of all other
 * issues name types and limits.
 */
const textOfIssue = (issue: unknown): string => {
  const code = propertyOf(issue, 'code')
  const keys = propertyOf(issue, 'keys')
  if (code === 'unrecognized_keys' && Array.isArray(keys)) return textOfUnknownKeys(keys)
  const text = textOfThrown(issue)
  return code === 'invalid_enum_value' ? text.replace(/, received [^]*$/, '') : text
}

export const mostIssues = 10
