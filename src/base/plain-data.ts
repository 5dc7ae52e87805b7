/**
 * Copies of plain data, and data that cannot change. What a store holds is given to callbacks as the one or the other, so
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
  let walk = begun(value, undefined)
  for (;;) {
    if (walk.at < walk.parts.length) {
      const part = walk.parts[walk.at++]
      if (isUnchangeable(part)) continue
      if (isPlain(part)) walk = begun(part, walk)
      else walk.isComplete = false
      continue
    }
    const { outer, isComplete } = walk
    if (!isComplete) frozen.delete(walk.value)
    if (outer === undefined) return isComplete
    outer.isComplete &&= isComplete
    walk = outer
  }
}

/** A walk through the parts of an object, as data: functions that call each other would overflow the stack of a deep value. */
interface Walk {
  readonly value: object
  readonly parts: readonly unknown[]
  readonly outer: Walk | undefined
  at: number
  isComplete: boolean
}

const begun = (value: object, outer: Walk | undefined): Walk => {
  Object.freeze(value)
  // Before its parts, so that the walk ends where a value holds itself.
  frozen.add(value)
  return { value, parts: Object.values(value), outer, at: 0, isComplete: true }
}

/** True of primitives, and of what `deepFreeze` has frozen completely. */
export const isUnchangeable = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || frozen.has(value)

/** `Object.isFrozen` does not show whether the objects inside are frozen too. */
const frozen = new WeakSet<object>()

const isPlain = (value: unknown): value is object => {
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
