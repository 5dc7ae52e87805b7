import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { ScenarioFile } from './scenario.ts'
import { readScenarios } from './scenario.ts'
import { mismatchesOf } from './mismatches.ts'

const help = `Runs conformance scenarios: topologies, inputs, and what Apache Kafka Streams made of them.

Usage: npm run conformance -- [options] [FOLDER | FILE ...]

Without a folder the project's own copy is run (test/conformance/data).

Options:
  --only TEXT    only scenarios whose name contains TEXT
  --quiet        names of the failed, without what differs
  --help         this page

Ends with 'N passed, N failed'; the exit code is 0 where all passed and 1 otherwise.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    quiet: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
})

/** Runs every scenario of these folders and tells each that fails; returns how many did. */
const run = (folders: readonly string[]): number => {
  const files = folders
    .flatMap((folder) => readScenarios(resolve(folder)))
    .filter(({ scenario }) => values.only === undefined || scenario.name.includes(values.only))
  const failed = files.filter((file) => !passes(file)).length
  console.log(`${files.length - failed} passed, ${failed} failed`)
  return files.length === 0 ? 1 : failed
}

const passes = ({ path, scenario }: ScenarioFile): boolean => {
  const mismatches = mismatchesOf(scenario)
  if (mismatches.length === 0) return true
  console.log(`FAILED ${scenario.name} (${path})`)
  if (!values.quiet) for (const mismatch of mismatches) console.log(indent(mismatch))
  return false
}

const indent = (text: string): string => text.replace(/^/gm, '  ')

if (values.help) console.log(help)
else
  process.exitCode =
    run(positionals.length === 0 ? [`${import.meta.dirname}/data`] : positionals) === 0 ? 0 : 1
