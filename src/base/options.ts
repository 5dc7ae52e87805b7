import { Fault } from './fault.ts'
import { nearest } from './nearest.ts'
import { shown } from './shown.ts'

/** What the value of an option or an argument has to be. */
export interface ValueKind {
  /** A noun with its article. */
  readonly needs: string
  /** How such a value is made. */
  readonly example?: string
  readonly accepts: (value: unknown) => boolean
  /** Checks the parts of an accepted value; `what` names it. */
  readonly checkParts?: (what: string, value: unknown) => void
}

/** The kind of an option that may not be left out. */
export interface RequiredKind extends ValueKind {
  readonly required: true
  /** What a message says where the option is missing; by default that it is needed. */
  readonly missing?: string
}

/**
 * Every option of a type with the kind of its value. The compiler refuses a shape that lacks an option, that has one which
 * the type lacks, or that lets a required one be left out: a list of options can be neither incomplete nor stale.
 */
export type OptionShape<Options> = {
  readonly [Name in keyof Options]-?: undefined extends Options[Name] ? ValueKind : RequiredKind
}

/** Refuses what is no object of options, names that no option has, missing options, and values of another kind. */
export const checkOptions = <Options>(what: string, options: unknown, shape: OptionShape<Options>): void => {
  const kinds = shape as Readonly<Record<string, ValueKind | RequiredKind>>
  const known = Object.keys(kinds)
  if (!isOptionObject(options))
    throw optionsInvalid(
      `${what} needs an object of options, and got ${shown(options)}`,
      `give { ${known.join(', ')} }`,
    )
  for (const name of Object.keys(options)) if (!Object.hasOwn(kinds, name)) throw unknown(what, name, known)
  for (const name of known)
    checkOption(what, name, (options as Record<string, unknown>)[name], kinds[name] as ValueKind)
}

/** No array, and no Date, Promise or other object that has no options. */
const isOptionObject = (options: unknown): options is object => {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return false
  const prototype: unknown = Object.getPrototypeOf(options)
  return prototype === Object.prototype || prototype === null || Object.keys(options).length > 0
}

const checkOption = (what: string, name: string, value: unknown, kind: ValueKind | RequiredKind): void => {
  if (value === undefined) {
    if (!('required' in kind)) return
    throw optionsInvalid(`${what}: ${kind.missing ?? `the option '${name}' is missing`}`, wayOut(kind))
  }
  if (!kind.accepts(value)) throw optionsInvalid(`${what}: ${name} is ${shown(value)}`, wayOut(kind))
  kind.checkParts?.(`${what}: ${name}`, value)
}

const wayOut = ({ needs, example }: ValueKind): string =>
  example === undefined ? `give ${needs}` : `give ${needs}, as ${example}`

const unknown = (what: string, name: string, known: readonly string[]): Fault => {
  const meant = nearest(name, known)
  return optionsInvalid(
    `${what} has no option '${name}'`,
    meant === undefined ? `its options are ${known.join(', ')}` : `did you mean '${meant}'?`,
  )
}

/** The fault of options that are wrong. */
export const optionsInvalid = (message: string, remedy: string): Fault =>
  new Fault({ code: 'OPTIONS_INVALID', actor: 'author', message, remedy })

/** Refuses an argument of another kind; `what` names the function and the argument's part in it. */
export const checkArgument = (what: string, value: unknown, kind: ValueKind): void => {
  if (!kind.accepts(value))
    throw new Fault({
      code: 'ARGUMENT_INVALID',
      actor: 'author',
      message: `${what} needs ${kind.needs}, and got ${shown(value)}`,
      remedy: wayOut(kind),
    })
  kind.checkParts?.(what, value)
}
