import { printable, quoted } from './printable.ts'
import type { RecordContents } from './record-contents.ts'
import { isA, isArray, propertyOf } from './thrown.ts'

/** A value as a message shows it: short, on one line, and with what kind of value it is. */
export const shown = (value: unknown): string => {
  if (typeof value === 'string') return `the text '${printable(value)}'`
  if (isA(value, Date)) return `the Date ${String(value)}`
  if (isArray(value)) return 'an array'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return shownObject(value)
  return Object.is(value, -0) ? '0' : String(value)
}

/** What kind of value it is, for messages about what may be part of a record. */
export const kindOfValue = (value: unknown): string => {
  if (typeof value === 'string') return 'a text'
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : String(value)
  if (typeof value === 'bigint') return 'a bigint'
  if (isA(value, Date)) return 'a Date'
  if (typeof value === 'object' && value !== null && !isArray(value)) return classOf(value) ?? 'an object'
  return shown(value)
}

/** The type of any value, without anything of it. */
export const typeOfValue = (value: unknown): string => {
  if (typeof value === 'number') return 'a number'
  if (typeof value === 'boolean' || typeof value === 'symbol') return `a ${typeof value}`
  return kindOfValue(value)
}

/** The value itself, for the contents of a fault: texts and numbers, and the names in an object. */
export const contentsOfValue = (name: string, value: unknown): RecordContents => {
  if (typeof value === 'string') return { [name]: quoted(value) }
  if (typeof value === 'number' || typeof value === 'bigint') return { [name]: String(value) }
  if (typeof value !== 'object' || value === null || isArray(value)) return {}
  return { [name]: quoted(namesIn(value).slice(0, largestNameCount).join(', ')) }
}

const largestNameCount = 20

const shownObject = (value: object): string =>
  classOf(value) ?? `an object (${printable(namesIn(value).join(', '))})`

/** The class with its article; undefined for plain objects. What JSON was read from may have a `constructor` of its own. */
const classOf = (value: object): string | undefined => {
  const constructor = propertyOf(value, 'constructor')
  if (typeof constructor !== 'function' || constructor === Object) return undefined
  const name = propertyOf(constructor, 'name')
  if (typeof name !== 'string' || name === '') return undefined
  return /^[AEIO]/.test(name) ? `an ${name}` : `a ${name}`
}

/** The names of an object's properties; none of a proxy that does not give them. */
const namesIn = (value: object): readonly string[] => {
  try {
    return Object.keys(value)
  } catch {
    return []
  }
}
