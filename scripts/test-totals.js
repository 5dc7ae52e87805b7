/**
 * `node scripts/test-totals.js FOLDER UNCOUNTED RUN:STATUS...`: adds up the JSON reports of vitest in a folder, one
 * `RUN.json` per run, after printing the failures in them. `.ci/run` calls it.
 *
 * - The last line is `N passed, N failed`; the exit code is 1 where something failed.
 * - UNCOUNTED failures are added: those of steps without a report.
 * - A file that could not be loaded is one failure. So is a run without a report or with an error outside any test: its
 *   exit status says more than its counts.
 *
 * It is JavaScript, because it must also run on an older Node where the packages could not be installed.
 */
import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'

const [folder, uncounted, ...runs] = process.argv.slice(2)
let passed = 0
let failed = Number(uncounted)

// Which tests failed and why stands at the end of a log too, for readers who have only its last lines.
const printFailures = (run, { name, status, message, assertionResults }) => {
  const tests = assertionResults.filter((test) => test.status === 'failed')
  const failures = tests.map((test) => [test.fullName, test.failureMessages.join('\n')])
  if (status === 'failed' && failures.length === 0) failures.push(['could not be loaded', message])
  for (const [title, why] of failures)
    console.log(
      `failed in ${run}: ${relative('.', name)} > ${title}\n${indented(why.split('\n').slice(0, 8))}`,
    )
}

const indented = (lines) => lines.map((line) => `    ${line.slice(0, 300)}`).join('\n')

for (const run of runs) {
  const [name, status] = run.split(':')
  const file = `${folder}/${name}.json`
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { testResults: [] }
  const unloaded = report.testResults.filter(
    (each) => each.status === 'failed' && !each.assertionResults.some((test) => test.status === 'failed'),
  )
  const failures = (report.numFailedTests ?? 0) + unloaded.length
  for (const each of report.testResults) printFailures(name, each)
  const skipped = (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0)
  if (skipped > 0) console.log(`${name}: ${skipped} not run`)
  passed += report.numPassedTests ?? 0
  failed += failures === 0 && status !== '0' ? 1 : failures
}

console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
