import { Fault } from './fault.ts'
import { nearest } from './nearest.ts'

/** Refuses options that are no object, and names that no option has: a misspelt option would have no effect. */
export const refuseUnknownOptions = (what: string, options: unknown, known: readonly string[]): void => {
  if (typeof options !== 'object' || options === null)
    throw invalid(
      `${what} needs an object of options, and got ${String(options)}`,
      `give { ${known.join(', ')} }`,
    )
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const meant = nearest(name, known)
    const remedy = meant === undefined ? `its options are ${known.join(', ')}` : `did you mean '${meant}'?`
    throw invalid(`${what} has no option '${name}'`, remedy)
  }
}

const invalid = (message: string, remedy: string): Fault =>
  new Fault({ code: 'OPTIONS_INVALID', actor: 'author', message, remedy })
