import type { Bytes } from '../../base/bytes.ts'
import { utf8Encode } from '../../base/bytes.ts'
import { Fault, messageOf } from '../../base/fault.ts'
import { printable } from '../../base/printable.ts'
import { isTooDeep } from '../../topic/json-depth.ts'
import { deserializeAll, serialized } from '../../topic/serde.ts'
import type { AnySerde, Serde } from '../../topic/serde.ts'
import { bigLong, bytes, double, integer, long, string } from '../../topic/serdes.ts'
import { innerSerdeOf, windowed } from '../../topic/windowed.ts'
import { base64Decode } from './base64.ts'

/**
 * A key as text, for URLs and command lines: text stands for itself, numbers for their digits, bytes for base64, a
 * windowed key for JSON with `key`, `startMs` and `endMs`; any other key for JSON, where text that is no JSON stands for
 * itself.
 */
export const parseKey = (serde: AnySerde, text: string): unknown => {
  const inner = innerSerdeOf(serde)
  if (inner !== undefined) return parseWindowed(inner, text)
  const plain = plainKeys.find(([known]) => known.deserialize === serde.deserialize)
  const key = plain === undefined ? parseJsonKey(serde as Serde<unknown>, text) : plain[1](text)
  if (key === undefined) throw badKey(`'${printable(text)}' is not a key of type ${serde.name}`)
  return key
}

/** The bytes that a key begins with; only where text and bytes begin alike. */
export const parsePrefix = (serde: AnySerde, text: string): Bytes => {
  if (serde.deserialize === string.deserialize) return utf8Encode(text)
  const prefix = serde.deserialize === bytes.deserialize ? base64Decode(text) : undefined
  if (prefix !== undefined) return prefix
  throw badKey(`keys of type ${serde.name} have no prefixes, or '${printable(text)}' is none`)
}

const number =
  (accept: (value: number) => boolean) =>
  (text: string): number | undefined => {
    const value = Number(text)
    return text.trim() !== '' && accept(value) ? value : undefined
  }

const plainKeys: readonly (readonly [AnySerde, (text: string) => unknown])[] = [
  [string, (text) => text],
  [long, number(Number.isSafeInteger)],
  [integer, number((value) => (value | 0) === value)],
  [double, number((value) => !Number.isNaN(value))],
  [bigLong, (text) => (/^-?\d+$/.test(text) ? BigInt(text) : undefined)],
  [bytes, base64Decode],
]

const parseWindowed = (inner: AnySerde, text: string): unknown => {
  const parts = jsonOf(text) as { key?: unknown; startMs?: unknown; endMs?: unknown } | undefined
  const times = [parts?.startMs, parts?.endMs]
  if (parts === undefined || !times.every((each) => Number.isSafeInteger(each)))
    throw badKey(`'${printable(text)}' is not a windowed key: write {"key": …, "startMs": …, "endMs": …}`)
  const key = typeof parts.key === 'string' ? parts.key : JSON.stringify(parts.key)
  return windowed(parseKey(inner, key), parts.startMs as number, parts.endMs as number)
}

/** What the serde takes: the JSON as it is, what the serde makes of the JSON's text, or the text itself. */
const parseJsonKey = (serde: Serde<unknown>, text: string): unknown => {
  const json = jsonOf(text)
  const readings = [() => json, () => deserializeAll(serde, utf8Encode(text)), () => text]
  for (const reading of readings) {
    const key = writable(serde, reading)
    if (key !== undefined) return key
  }
  return undefined
}

const writable = (serde: Serde<unknown>, reading: () => unknown): unknown => {
  try {
    const key = reading()
    if (key === undefined) return undefined
    serialized(serde, key as never)
    return key
  } catch {
    return undefined
  }
}

/** Undefined of a text that is no JSON, or that nests deeper than serdes go: `JSON.stringify` would overflow the stack. */
const jsonOf = (text: string): unknown => {
  if (isTooDeep(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A query that can't be understood, with why. */
export const badQuery = (message: string, cause?: unknown): Fault =>
  new Fault({
    code: 'QUERY_INVALID',
    actor: 'author',
    message: cause === undefined ? message : `${message}: ${messageOf(cause)}`,
    remedy: 'see /openapi.json, or docs/queries.md',
  })

const badKey = (message: string): Fault => badQuery(message)
