import { printable } from '../base/printable.ts'

/**
 * Text from topics and groups as standard output takes it: escaped on a terminal, which control characters would drive, and
 * as it is in a pipe or a file.
 */
export const outputText = (text: string): string => (process.stdout.isTTY ? printable(text) : text)
