import type { Bytes } from '../base/bytes.ts'
import { utf8Decode, utf8Encode } from '../base/bytes.ts'
import { checkArgument } from '../base/options.ts'
import { anyText } from '../base/value-kinds.ts'
import { headersKind } from './value-kinds.ts'

/** One header: a name and its bytes, or null. Names may repeat; order is kept. */
export type Header = readonly [name: string, value: Bytes | null]

/** The headers of a record, in order. */
export type Headers = readonly Header[]

export const noHeaders: Headers = Object.freeze([])

/**
 * The last header of that name, as Kafka's `lastHeader`; undefined where there is none.
 *
 * @example
 * const traceOf = ({ headers }: StreamRecord<string, unknown>) => lastHeader(headers, 'trace-id')
 */
export const lastHeader = (headers: Headers, name: string): Bytes | null | undefined => {
  checkArgument('lastHeader', headers, headersKind)
  return headers.findLast(([header]) => header === name)?.[1]
}

/**
 * The last header of that name as UTF-8 text; undefined where it is missing or null.
 *
 * @example
 * const traceOf = ({ headers }: StreamRecord<string, unknown>) => headerText(headers, 'trace-id')
 */
export const headerText = (headers: Headers, name: string): string | undefined => {
  checkArgument('headerText', headers, headersKind)
  const value = lastHeader(headers, name)
  return value == null ? undefined : utf8Decode(value)
}

/**
 * The headers with `name` set to one text value, whatever it was before.
 *
 * @example
 * const headers = withHeader([], 'source', 'web-shop')
 */
export const withHeader = (headers: Headers, name: string, text: string): Headers => {
  checkArgument('withHeader', headers, headersKind)
  checkArgument('withHeader: the name', name, anyText)
  checkArgument('withHeader: the text', text, anyText)
  return [...headers.filter(([header]) => header !== name), [name, utf8Encode(text)]]
}
