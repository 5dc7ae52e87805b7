import { isFault } from 'millrace'
import { compare } from './compare.ts'
import { runScenario } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'

/** What is wrong with one scenario: nothing where it passes; a throw counts as one mismatch. */
export const mismatchesOf = (scenario: Scenario): readonly string[] => {
  try {
    return compare(scenario, runScenario(scenario))
  } catch (error) {
    return [`threw ${told(error)}`]
  }
}

const told = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const code = isFault(error) ? `${error.code}: ` : ''
  return `${code}${error.message}\n${(error.stack ?? '').split('\n').slice(1, 6).join('\n')}`
}
