/** A mistake of the programmer, not of the input: it is never caught on purpose. */
export class AssertionFailed extends Error {
  override readonly name = 'AssertionFailed'
}

/** Throws `AssertionFailed` unless `condition` holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (condition === false || condition === undefined || condition === null) throw new AssertionFailed(message)
}

/** The end of an exhaustive switch: reached only where the types lied. */
export const unreachable = (value: never): never => {
  throw new AssertionFailed(`unreachable value ${String(value)}`)
}
