import * as z from 'zod'
import { Fault, messageOf } from '../base/fault.ts'
import { quoted } from '../base/printable.ts'
import { listIssues, mostIssues, textOfUnknownKeys } from '../base/quoting-errors.ts'
import { markWithoutQuotes } from '../base/record-contents.ts'
import { isA, textOfThrown } from '../base/thrown.ts'
import { largestJsonDepth } from './json-depth.ts'

/**
 * The faults of JSON under a schema. What a record holds is in their contents, never in their messages: of a path, a message
 * names the properties that the schema declares, and `*` for any other key.
 */
export const notJson = (text: string, cause: unknown): Fault =>
  new Fault({
    code: 'JSON_INVALID',
    actor: 'record',
    message: 'the value is not JSON',
    remedy: 'fix the producer, or route such records to the dead letter topic',
    contents: { value: quoted(text) },
    cause,
  })

export const tooDeep = (cause?: unknown): Fault =>
  new Fault({
    code: 'JSON_TOO_DEEP',
    actor: 'record',
    message: `the value is nested deeper than the ${largestJsonDepth} levels that JSON may have`,
    remedy: 'keep less nested data in one record, or route such records to the dead letter topic',
    cause,
  })

const notWritable = (why: string, remedy: string, cause?: unknown): Fault =>
  new Fault({
    code: 'VALUE_NOT_JSON',
    actor: 'record',
    message: `the value cannot be written as JSON: ${why}`,
    remedy,
    cause,
  })

/** What `JSON.stringify` throws; of a value that contains itself, it names properties. */
export const stringifyFailed = (cause: unknown): Fault =>
  isA(cause, TypeError) && /circular/i.test(textOfThrown(cause))
    ? notWritable('it contains itself', orPlain)
    : notWritable(messageOf(cause), orPlain, cause)

/** JSON has no text for some values. */
export const hasNoText = (value: unknown): Fault =>
  notWritable(`JSON has no ${typeof value}`, 'write null to delete a row, or make it plain data')

const orPlain = 'declare it in the schema with z.codec(...), or make it plain data'

/** A value that breaks the schema. */
export const breach = (direction: 'read' | 'written', error: z.ZodError, names: ReadonlySet<string>): Fault =>
  new Fault({
    code: 'SCHEMA_VIOLATION',
    actor: 'record',
    message: `the value ${direction} breaks the topic's schema: ${issuesOf(error, names)}`,
    ...withheld(error, names),
  })

/** What the schema does not read of a value, because JSON leaves its undefined properties out. */
export const unreadable = (error: z.ZodError, names: ReadonlySet<string>): Fault =>
  new Fault({
    code: 'VALUE_NOT_JSON',
    actor: 'record',
    message: `the value cannot be written as JSON and read back: JSON leaves out what is undefined, and then ${issuesOf(error, names)}`,
    remedy: 'leave no property undefined, or make it .optional() in the schema',
    ...withheld(error, names),
  })

/** A part of a value that JSON would change or lose. */
export const unheld = (path: JsonPath, problem: string, names: ReadonlySet<string>): Fault =>
  new Fault({
    code: 'VALUE_NOT_JSON',
    actor: 'record',
    message: `the value cannot be written as JSON and read back: ${pathText(path, names)}: ${problem}`,
    remedy: orPlain,
    contents: { path: quoted(path.join('.')) },
  })

/** Names of properties, and places in arrays. */
export type JsonPath = readonly PropertyKey[]

const pathText = (path: JsonPath, names: ReadonlySet<string>): string =>
  path.map((part) => (isShown(part, names) ? String(part) : '*')).join('.') || 'value'

const isShown = (part: PropertyKey, names: ReadonlySet<string>): boolean =>
  typeof part === 'number' || names.has(String(part))

const issuesOf = ({ issues }: z.ZodError, names: ReadonlySet<string>): string =>
  listIssues(issues, (issue) => `${pathText(issue.path, names)}: ${textOfIssue(issue)}`)

/** Zod quotes the keys that a strict object does not have; the texts of all other issues name types and limits. */
const textOfIssue = (issue: z.core.$ZodIssue): string =>
  issue.code === 'unrecognized_keys' ? textOfUnknownKeys(issue.keys) : messageOf(issue.message)

/** The error of zod without what it quotes, and that as contents. */
const withheld = (error: z.ZodError, names: ReadonlySet<string>): Pick<Fault, 'contents' | 'cause'> => {
  const issues = error.issues.slice(0, mostIssues)
  const original = issues.map((issue) => `${issue.path.join('.') || 'value'}: ${issue.message}`).join(', ')
  const cause = new z.ZodRealError(
    issues.map((issue) => ({
      code: 'custom',
      path: issue.path.map((part) => (isShown(part, names) ? part : '*')),
      message: textOfIssue(issue),
      input: undefined,
    })),
  )
  return { contents: { issues: quoted(original, longestIssuesText) }, cause: markWithoutQuotes(cause) }
}

const longestIssuesText = 500
