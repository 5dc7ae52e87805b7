import { Command, InvalidArgumentError, Option } from 'commander'
import { names } from '../../src/cli/options.ts'

/** What the commands of this repository (`npm run bench`, `soak`, `chaos`, `trials`) have in common: `--help`, and how options read. */
export const npmCommand = (name: string): Command =>
  new Command(`npm run ${name} --`).showSuggestionAfterError().allowExcessArguments(false)

/** The broker to work against. */
export const brokersOption = (): Option =>
  new Option(
    '--brokers <host:port>',
    'a broker that runs already (default: an Apache Kafka of its own from its jars)',
  )

/** An option that takes some of these names, separated by commas; all unless told otherwise. */
export const someOption = <T extends string>(
  flags: string,
  description: string,
  allowed: readonly T[],
): Option =>
  new Option(flags, `${description}: ${allowed.join(', ')}`)
    .argParser(someOf(allowed))
    .default(allowed, 'all')

/** Some of these names, separated by commas. */
export const someOf =
  <T extends string>(allowed: readonly T[]) =>
  (text: string): readonly T[] =>
    names(text).map((name) => {
      const found = allowed.find((each) => each === name)
      if (found === undefined)
        throw new InvalidArgumentError(`there is no '${name}': use ${allowed.join(', ')}.`)
      return found
    })

/** A share of a whole, above 0 and at most 1. */
export const share = (text: string): number => {
  const value = Number(text)
  if (value > 0 && value <= 1) return value
  throw new InvalidArgumentError('must be above 0 and at most 1.')
}
