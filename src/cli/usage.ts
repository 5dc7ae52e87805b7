import { Fault } from '../base/fault.ts'

/** The call of a command is wrong: one line on standard error and exit code 2. */
export const usage = (message: string, remedy?: string): Fault =>
  new Fault({ code: 'USAGE', actor: 'author', message, ...(remedy === undefined ? {} : { remedy }) })
