import { InvalidArgumentError, Option } from 'commander'
import { days, hours, minutes, seconds } from '../base/duration.ts'

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

/** Names separated by commas. */
export const names = (text: string): readonly string[] => {
  const found = text.split(',').map((name) => name.trim())
  if (found.every((name) => name !== '')) return found
  throw new InvalidArgumentError('must be names separated by commas.')
}

/** A time as Kafka's tools take it, `YYYY-MM-DDTHH:mm:SS.sss`, with or without an offset from UTC; in milliseconds. */
export const datetime = (text: string): number => {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:?\d\d)?$/.exec(text)
  const zone = (parts?.[2] ?? 'Z').replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')
  const timeMs = Date.parse(`${parts?.[1] ?? ''}${zone}`)
  if (!Number.isNaN(timeMs)) return timeMs
  throw new InvalidArgumentError('must be written as YYYY-MM-DDTHH:mm:SS.sss.')
}

/** A duration as ISO 8601 and Kafka's tools write it, `PnDTnHnMnS`; in milliseconds. */
export const duration = (text: string): number => {
  const parts = /^P(?=.)(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/.exec(text)
  if (parts === null) throw new InvalidArgumentError('must be written as PnDTnHnMnS, as in PT1H.')
  const [inDays = 0, inHours = 0, inMinutes = 0, inSeconds = 0] = parts
    .slice(1)
    .map((part: string | undefined) => Number(part ?? 0))
  return days(inDays) + hours(inHours) + minutes(inMinutes) + Math.round(seconds(inSeconds))
}

/** `\t` and `\n` in a separator mean what they say in a shell. */
export const unescape = (text: string): string => text.replaceAll('\\t', '\t').replaceAll('\\n', '\n')
