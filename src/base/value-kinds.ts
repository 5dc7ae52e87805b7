import type { OptionShape, RequiredKind, ValueKind } from './options.ts'
import { checkOptions } from './options.ts'

/** The kinds of values that options and arguments have. */

/** Any value: what reads the option checks it, with a message of its own. */
export const checkedByReader: ValueKind = { needs: 'a value', accepts: () => true }

/** A number whose range what reads the option checks, as it may depend on others. */
export const numberCheckedByReader: ValueKind = {
  needs: 'a number',
  accepts: (value) => typeof value === 'number',
}

export const text: ValueKind = {
  needs: 'a text that is not empty',
  accepts: (value) => typeof value === 'string' && value !== '',
}

export const anyText: ValueKind = {
  needs: 'a text',
  accepts: (value) => typeof value === 'string',
}

export const flag: ValueKind = {
  needs: 'true or false',
  accepts: (value) => typeof value === 'boolean',
}

export const callback: ValueKind = {
  needs: 'a function',
  accepts: (value) => typeof value === 'function',
}

/** A function whose result is needed at once, or that has none: what an async function does later would be lost. */
export const synchronous: ValueKind = {
  needs: 'a function that is not async',
  accepts: (value) => typeof value === 'function' && !isAsync(value),
}

/** True of `async` functions and generators; of others, only a call shows that they return promises. */
export const isAsync = (value: unknown): boolean =>
  ['[object AsyncFunction]', '[object AsyncGeneratorFunction]'].includes(
    Object.prototype.toString.call(value),
  )

export const count: ValueKind = {
  needs: 'a whole number above 0',
  accepts: (value) => Number.isSafeInteger(value) && (value as number) > 0,
}

export const wholeNumber: ValueKind = {
  needs: 'a whole number of at least 0',
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
}

export const durationMs: ValueKind = {
  needs: 'whole milliseconds',
  example: 'minutes(5)',
  accepts: wholeNumber.accepts,
}

export const anyObject: ValueKind = {
  needs: 'an object',
  accepts: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
}

/** True of an object with functions of these names. */
export const hasFunctions = (value: unknown, ...names: readonly string[]): boolean =>
  typeof value === 'object' &&
  value !== null &&
  names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')

export const bytesOrNullKind: ValueKind = {
  needs: 'bytes (a Uint8Array), or null',
  accepts: (value) => value === null || value instanceof Uint8Array,
}

export const clockKind: ValueKind = {
  needs: 'a clock',
  example: 'new ManualClock()',
  accepts: (value) => hasFunctions(value, 'now', 'monotonicMs', 'setTimer'),
}

export const oneOf = (...values: readonly string[]): ValueKind => ({
  needs: values.map((value) => `'${value}'`).join(' or '),
  accepts: (value) => values.includes(value as string),
})

export const listOf = (kind: ValueKind): ValueKind => ({
  needs: `an array, each ${kind.needs}`,
  accepts: (value) => Array.isArray(value) && value.every((each) => kind.accepts(each)),
  checkParts: (what, value) => {
    for (const [index, each] of (value as readonly unknown[]).entries())
      kind.checkParts?.(`${what}[${index}]`, each)
  },
})

/** Options within options. */
export const nested = <Options>(shape: OptionShape<Options>): ValueKind => ({
  needs: `{ ${Object.keys(shape).join(', ')} }`,
  accepts: anyObject.accepts,
  checkParts: (what, value) => checkOptions(what, value, shape),
})

export const required = (kind: ValueKind): RequiredKind => ({ ...kind, required: true })
