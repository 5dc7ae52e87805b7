import { isFault } from 'millrace'
import { compare } from './compare.ts'
import { runScenario } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'

/**
 * What is wrong with one scenario: nothing where it passes; a throw counts as one mismatch. Where Kafka Streams failed,
 * a fault is what passes.
 */
export const mismatchesOf = (scenario: Scenario): readonly string[] => {
  const { kafkaStreamsError } = scenario
  try {
    const observed = runScenario(scenario)
    if (kafkaStreamsError === undefined) return compare(scenario, observed)
    return [`Kafka Streams fails (${kafkaStreamsError}), Millrace does not`]
  } catch (error) {
    if (kafkaStreamsError !== undefined && isFault(error)) return []
    return [`threw ${told(error)}`]
  }
}

const told = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const code = isFault(error) ? `${error.code}: ` : ''
  return `${code}${error.message}\n${(error.stack ?? '').split('\n').slice(1, 6).join('\n')}`
}
