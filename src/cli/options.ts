import { InvalidArgumentError, Option } from 'commander'

/** Options that several commands share, spelled as Kafka's own tools spell them. */
export const bootstrapServerOption = (): Option =>
  new Option(
    '--bootstrap-server <host:port>',
    'the broker to connect to; several separated by commas',
  ).default('localhost:9092')

/** A whole number of at least `minimum`. */
export const wholeNumber =
  (minimum: number) =>
  (text: string): number => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= minimum && text.trim() !== '') return value
    throw new InvalidArgumentError(`must be a whole number of at least ${minimum}.`)
  }

/** Gathers `--property name=value` options into one object; a property none of `known` is refused. */
export const property =
  (known: readonly string[]) =>
  (text: string, gathered: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
    const separator = text.indexOf('=')
    const name = separator < 0 ? text : text.slice(0, separator)
    if (separator < 0) throw new InvalidArgumentError('must be written as name=value.')
    if (!known.includes(name))
      throw new InvalidArgumentError(`there is no property '${name}': use ${known.join(', ')}.`)
    return { ...gathered, [name]: text.slice(separator + 1) }
  }

/** Gathers `name=value` options into one object. */
export const pair = (
  text: string,
  gathered: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> => {
  const separator = text.indexOf('=')
  if (separator < 1) throw new InvalidArgumentError('must be written as name=value.')
  return { ...gathered, [text.slice(0, separator)]: text.slice(separator + 1) }
}

/** `\t` and `\n` in a separator mean what they say in a shell. */
export const unescape = (text: string): string => text.replaceAll('\\t', '\t').replaceAll('\\n', '\n')
