import { base64Encode } from './base64.ts'

/**
 * Any value as JSON that says the same to a reader without our types: a bigint as its digits (a JSON number may
 * lose some), a date as ISO 8601, bytes as base64, a map as pairs, a set as a list, a number that is none (`NaN`,
 * `Infinity`) as its name. What JSON leaves out of objects (undefined, functions) is left out.
 */
export const jsonValueOf = (value: unknown): unknown => {
  switch (typeof value) {
    case 'bigint':
      return value.toString()
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'object':
      return value === null ? null : jsonObjectOf(value)
    case 'undefined':
    case 'function':
    case 'symbol':
      return null
    case 'string':
    case 'boolean':
      return value
  }
}

const jsonObjectOf = (value: object): unknown => {
  if (value instanceof Uint8Array) return base64Encode(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof Map) return Array.from(value, (pair) => pair.map(jsonValueOf))
  if (Array.isArray(value) || value instanceof Set) return Array.from(value, jsonValueOf)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined && typeof each !== 'function' && typeof each !== 'symbol')
      .map(([name, each]) => [name, jsonValueOf(each)]),
  )
}
