/**
 * JavaScript throws anything: no error at all, an error whose name is a number, a proxy, a class whose getters throw.
 * These functions read what was thrown and never throw themselves. Code that handles what an author's code threw uses them
 * in place of `instanceof` and of properties.
 */

/** `value instanceof kind`, and false where looking at the value throws. */
export const isA = <T>(value: unknown, kind: abstract new (...parameters: never[]) => T): value is T => {
  try {
    return value instanceof kind
  } catch {
    return false
  }
}

export const isError = (value: unknown): value is Error => isA(value, Error)

/** True of a proxy that does not even say what it is. Loggers and `util.inspect` fail at it. */
export const isUnreadable = (value: unknown): boolean => {
  try {
    void (value instanceof Error)
    return false
  } catch {
    return true
  }
}

/** A property of anything but null and undefined; undefined where reading it throws. */
export const propertyOf = (value: unknown, name: PropertyKey): unknown => {
  try {
    return (value as Partial<Record<PropertyKey, unknown>> | null | undefined)?.[name]
  } catch {
    return undefined
  }
}

/** True of an error whose properties can be read without an exception, and whose name, message and stack are texts. */
export const isSound = (error: Error): boolean => {
  try {
    readProperties(error)
    const { name, message, stack } = error as { name: unknown; message: unknown; stack?: unknown }
    void error.cause
    return (
      typeof name === 'string' && typeof message === 'string' && (stack == null || typeof stack === 'string')
    )
  } catch {
    return false
  }
}

/** Throws where the error or a class of it is a proxy whose traps throw. */
const readProperties = (error: Error): void => {
  for (let at: object | null = error; at !== null; at = Object.getPrototypeOf(at) as object | null)
    Object.getOwnPropertyDescriptors(at)
}

/**
 * What was thrown, as text: its message where it has one. An `AggregateError` without a message has those of its errors, any
 * other error without one has its name.
 */
export const textOfThrown = (thrown: unknown): string => textAt(thrown, 0)

const textAt = (thrown: unknown, depth: number): string => {
  if (typeof thrown === 'function') return 'a function'
  if (typeof thrown !== 'object' || thrown === null) return String(thrown)
  const message = propertyOf(thrown, 'message')
  if (typeof message === 'string' && message !== '') return message
  const isOfError = isError(thrown)
  const errors = isOfError ? elementsOf(propertyOf(thrown, 'errors')).filter(isError) : []
  if (errors.length > 0 && depth < deepest)
    return errors
      .slice(0, mostErrors)
      .map((each) => textAt(each, depth + 1))
      .join(', ')
  if (message !== undefined && message !== null && message !== '') return ownTextOf(message)
  return isOfError ? ownTextOf(propertyOf(thrown, 'name') ?? 'Error') : ownTextOf(thrown)
}

const deepest = 3
const mostErrors = 10

/** `Array.isArray`, which throws of a proxy that is revoked. */
export const isArray = (value: unknown): value is readonly unknown[] => {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

/** The elements of an array, or else, and where reading them throws, the value itself. */
export const elementsOf = (value: unknown): readonly unknown[] => {
  try {
    return Array.isArray(value) ? Array.from(value as readonly unknown[]) : [value]
  } catch {
    return [value]
  }
}

const ownTextOf = (value: unknown): string => {
  if (typeof value === 'function') return 'a function'
  try {
    return String(value)
  } catch {
    return 'an object that has no text'
  }
}
