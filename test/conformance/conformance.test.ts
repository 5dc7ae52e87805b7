import { basename, dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readScenarios } from './scenario.ts'
import { mismatchesOf } from './mismatches.ts'

/** The project's own copy of the scenarios; `npm run conformance -- FOLDER` runs any other. */
const files = readScenarios(`${import.meta.dirname}/data`)

for (const [group, scenarios] of Map.groupBy(files, ({ path }) => basename(dirname(path))))
  describe(`${group} does what Kafka Streams does`, () => {
    it.each(scenarios.map(({ scenario }) => [scenario.name, scenario] as const))('%s', (_name, scenario) => {
      expect(mismatchesOf(scenario)).toEqual([])
    })
  })
