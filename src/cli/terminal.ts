import { printable } from '../base/printable.ts'

/**
 * Text from topics and groups as standard output takes it: escaped on a terminal, which control characters would drive, and
 * as it is in a pipe or a file.
 */
export const outputText = (text: string): string => (process.stdout.isTTY ? printable(text) : text)

/** Prints lines with columns between tabs. Text from elsewhere in them passes `outputText` before, so that it forges none. */
export const print = (text: string): void =>
  console.log(process.stdout.isTTY ? text.replaceAll(/[^\n\t]+/g, printable) : text)

/** Prints a value as JSON. */
export const printJson = (value: unknown, indent?: number): void => print(JSON.stringify(value, null, indent))
