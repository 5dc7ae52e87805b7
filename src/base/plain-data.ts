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

/** Freezes a value and all it holds, but for bytes, which cannot be frozen. */
export const deepFreeze = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (ArrayBuffer.isView(value)) return value
  Object.freeze(value)
  for (const inner of Object.values(value)) deepFreeze(inner)
  return value
}
