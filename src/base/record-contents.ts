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
 * An error without the text that it quotes: `JSON.parse` puts a part of its input into its messages. Any other error is
 * returned as it is, because its message is its author's own.
 */
export const withoutQuotedText = (error: unknown): unknown => {
  if (!(error instanceof SyntaxError) || !error.message.endsWith(notJson)) return error
  const withheld = new SyntaxError('the text is not valid JSON')
  if (error.stack !== undefined) withheld.stack = error.stack.replace(error.message, () => withheld.message)
  return withheld
}

/** What `withoutQuotedText` leaves out. */
export const quotedTextOf = (error: unknown): RecordContents =>
  withoutQuotedText(error) === error ? {} : { error: quoted((error as Error).message, longestMessage) }

/** V8: `Unexpected token 'a', "abc" is not valid JSON`. */
const notJson = 'is not valid JSON'
const longestMessage = 200
