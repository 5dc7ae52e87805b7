import { InvalidArgumentError, Option } from 'commander'
import { days, hours, minutes, seconds } from '../base/duration.ts'
import { nearest } from '../base/nearest.ts'

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
    if (/^-?\d+$/.test(text) && Number.isSafeInteger(value) && value >= minimum) return value
    throw new InvalidArgumentError(
      minimum === Number.MIN_SAFE_INTEGER
        ? 'must be a whole number.'
        : `must be a whole number of at least ${minimum}.`,
    )
  }

/** A TCP port; 0 takes any free one. */
export const port = (text: string): number => {
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= 65_535) return value
  throw new InvalidArgumentError('must be a whole number from 0 to 65535.')
}

/** One of `choices`. The error names them, and the nearest one first. */
export const oneOf =
  <T extends string>(...choices: readonly T[]) =>
  (text: string): T => {
    const chosen = choices.find((each) => each === text)
    if (chosen !== undefined) return chosen
    throw new InvalidArgumentError(`must be ${listed(choices)}.${didYouMean(text, choices)}`)
  }

/** An offset as Kafka's console consumer takes it: `earliest`, `latest` or a whole number of at least 0. */
export const offset = (text: string): 'earliest' | 'latest' | number => {
  if (text === 'earliest' || text === 'latest') return text
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  throw new InvalidArgumentError(
    `must be earliest, latest or a whole number of at least 0.${didYouMean(text, ['earliest', 'latest'])}`,
  )
}

/** What the value of a `--property` may be. */
export type PropertyKind = 'flag' | 'text'

/** Gathers `--property name=value` options into one object; refuses an unknown name, and a flag that is not true or false. */
export const property =
  (known: Readonly<Record<string, PropertyKind>>) =>
  (text: string, gathered: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
    const separator = text.indexOf('=')
    if (separator < 0) throw new InvalidArgumentError('must be written as name=value.')
    const [name, value] = [text.slice(0, separator), text.slice(separator + 1)]
    const all = Object.keys(known)
    if (!all.includes(name))
      throw new InvalidArgumentError(
        `there is no property '${name}': use ${listed(all)}.${didYouMean(name, all)}`,
      )
    if (known[name] === 'flag' && value !== 'true' && value !== 'false')
      throw new InvalidArgumentError(`${name} must be true or false.`)
    if (name.endsWith('separator') && value === '')
      throw new InvalidArgumentError(`${name} must not be empty.`)
    return { ...gathered, [name]: value }
  }

const listed = (choices: readonly string[]): string =>
  choices.length === 1 ? String(choices[0]) : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`

const didYouMean = (text: string, choices: readonly string[]): string => {
  const near = nearest(text, choices)
  return near === undefined ? '' : ` Did you mean ${near}?`
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
