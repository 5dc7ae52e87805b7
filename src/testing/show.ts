import { hexEncode } from '../base/bytes.ts'
import type { Change } from '../topology/node.ts'

/** How values look in explanations and in what the matchers say: one line each. */
export const show = (value: unknown): string => {
  if (value === undefined) return 'undefined'
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return `0x${hexEncode(value)}`
  if (isWindowed(value)) return `${show(value.key)} in [${value.startMs}, ${value.endMs}]`
  if (isAsymmetric(value)) return value.toAsymmetricMatcher?.() ?? value.toString()
  return JSON.stringify(value, (_, part: unknown) => (isPlain(part) ? part : show(part))) ?? typeof value
}

/** A key and a value, as most tests name a record. */
export const showRecord = (key: unknown, value: unknown): string => `${show(key)}: ${showValue(value)}`

/** The same, where reading it may fail: an undecodable value is not decoded here either. */
export const showReadable = (record: { readonly key: unknown; readonly value: unknown }): string =>
  `${attempt(() => show(record.key))}: ${attempt(() => showValue(record.value))}`

const attempt = (read: () => string): string => {
  try {
    return read()
  } catch {
    return '(unreadable)'
  }
}

/** On a table's edge the value before goes along where a node below needs it. */
const showValue = (value: unknown): string => {
  if (!isChange(value)) return show(value)
  const now = value.newValue === null ? 'deleted' : show(value.newValue)
  return value.oldValue === null ? now : `${now} (was ${show(value.oldValue)})`
}

const isPlain = (value: unknown): boolean =>
  value !== undefined &&
  typeof value !== 'bigint' &&
  !(value instanceof Uint8Array) &&
  !isWindowed(value) &&
  !isAsymmetric(value)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const isChange = (value: unknown): value is Change<unknown> =>
  isObject(value) && 'newValue' in value && 'oldValue' in value && 'isLatest' in value

interface WindowedKey {
  readonly key: unknown
  readonly startMs: number
  readonly endMs: number
}

const isWindowed = (value: unknown): value is WindowedKey =>
  isObject(value) && 'key' in value && 'startMs' in value && 'endMs' in value

/** `expect.any(Number)` and its kin. */
interface Asymmetric {
  readonly asymmetricMatch: unknown
  readonly toAsymmetricMatcher?: () => string
  toString(): string
}

const isAsymmetric = (value: unknown): value is Asymmetric => isObject(value) && 'asymmetricMatch' in value
