/**
 * Copies of plain data, and data that nobody can change. What a store holds is given to callbacks as the one or the other, so
 * that only a put changes it.
 */

/** A copy that shares nothing with the value, of arrays and plain objects; undefined where something else is in it. */
export const copyPlain = <T>(value: T): T | undefined => {
  if (typeof value !== 'object' || value === null) return value
  try {
    return copyInner(value) as T
  } catch (error) {
    if (error === notPlain || error instanceof RangeError) return undefined
    throw error
  }
}

const copyInner = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyInner)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw notPlain
  const copy: Record<string, unknown> =
    prototype === null ? (Object.create(null) as Record<string, unknown>) : {}
  for (const name of Object.keys(value)) {
    const inner = copyInner((value as Record<string, unknown>)[name])
    // Assigned, it would be the prototype of the copy.
    if (name === '__proto__') defineOwn(copy, name, inner)
    else copy[name] = inner
  }
  return copy
}

const defineOwn = (target: object, name: string, value: unknown): void =>
  void Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })

const notPlain = new Error('not plain data')

/**
 * Freezes arrays and plain objects with all that they hold. Returns false where the value holds something that can still be
 * changed: a Map, a Set, a Date, bytes or an instance of a class. These are left as they are.
 */
export const deepFreeze = (value: unknown): boolean => {
  if (isUnchangeable(value)) return true
  if (!isPlain(value)) return false
  Object.freeze(value)
  // Before the walk, which ends then where a value holds itself.
  frozen.add(value)
  let complete = true
  for (const inner of Object.values(value)) complete = deepFreeze(inner) && complete
  if (!complete) frozen.delete(value)
  return complete
}

/** True of primitives, and of what `deepFreeze` has frozen completely. */
export const isUnchangeable = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || frozen.has(value)

/** `Object.isFrozen` does not tell whether the objects inside are frozen too. */
const frozen = new WeakSet<object>()

const isPlain = (value: unknown): value is object => {
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
