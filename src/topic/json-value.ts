import type { JsonPath } from './json-faults.ts'
import { unheld } from './json-faults.ts'

/**
 * Refuses a value that JSON would change or lose: NaN and infinities, undefined outside of a property, bigints, functions
 * and symbols, and objects of any class (a Map, a Date). Returns true where a property is undefined, which JSON leaves out.
 */
export const refuseUnheld = (value: unknown, names: ReadonlySet<string>, path: JsonPath = []): boolean => {
  const problem = unheldProblem(value)
  if (problem !== undefined) throw unheld(path, problem, names)
  if (typeof value !== 'object' || value === null) return false
  let isIncomplete = false
  // By index too, as a hole of an array is none of its properties.
  if (Array.isArray(value))
    for (let index = 0; index < value.length; index++)
      isIncomplete = refuseUnheld(value[index], names, [...path, index]) || isIncomplete
  else
    for (const [name, property] of Object.entries(value))
      isIncomplete = property === undefined || refuseUnheld(property, names, [...path, name]) || isIncomplete
  return isIncomplete
}

/**
 * Refuses a value with a key that zod leaves out although its schema takes any: `__proto__`, as the own key of an object, of
 * which `written` is what zod makes.
 */
export const refuseLostKeys = (
  value: unknown,
  written: unknown,
  names: ReadonlySet<string>,
  path: JsonPath = [],
): void => {
  if (!isObject(value) || !isObject(written)) return
  if (!Array.isArray(value) && Object.hasOwn(value, lostKey) && !Object.hasOwn(written, lostKey))
    throw unheld([...path, lostKey], `no object is read back with the key ${lostKey}`, names)
  for (const name of Object.keys(value))
    if (isObject(value[name])) refuseLostKeys(value[name], written[name], names, [...path, name])
}

const lostKey = '__proto__'

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const unheldProblem = (value: unknown): string | undefined => {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? undefined : `JSON has no ${value}`
    case 'undefined':
    case 'bigint':
    case 'function':
    case 'symbol':
      return `JSON has no ${typeof value}`
    case 'object': {
      if (value === null) return undefined
      if (Object.getOwnPropertySymbols(value).length > 0) return 'JSON does not keep keys that are symbols'
      if (Array.isArray(value))
        return Object.keys(value).length > value.length ? 'JSON does not keep keys of an array' : undefined
      const prototype: unknown = Object.getPrototypeOf(value)
      if (prototype === Object.prototype || prototype === null) return undefined
      return `JSON does not keep the class ${nameOfClass(value)}`
    }
    case 'boolean':
    case 'string':
      return undefined
  }
}

const nameOfClass = (value: object): string =>
  (value.constructor as { readonly name?: string } | undefined)?.name ?? 'of the value'
