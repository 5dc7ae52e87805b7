import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

describe('the totals of the test runs', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-totals-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const report = (run: string, content: object): void =>
    writeFileSync(join(folder, `${run}.json`), JSON.stringify(content))

  const totals = (
    uncounted: number,
    ...runs: readonly string[]
  ): { readonly lines: readonly string[]; readonly status: number | null } => {
    const { stdout, status } = spawnSync(
      process.execPath,
      ['scripts/test-totals.js', folder, String(uncounted), ...runs],
      { encoding: 'utf8' },
    )
    return { lines: stdout.trimEnd().split('\n'), status }
  }

  it('add up what passed, and mention what did not run', () => {
    report('unit', { numPassedTests: 3, numPendingTests: 1, numTodoTests: 1, testResults: [] })
    report('kafka', { numPassedTests: 4, testResults: [] })
    expect(totals(0, 'unit:0', 'kafka:0')).toEqual({
      lines: ['unit: 2 not run', '7 passed, 0 failed'],
      status: 0,
    })
  })

  it('count failed tests and files that could not be loaded, and print the reasons', () => {
    report('unit', {
      numPassedTests: 1,
      numFailedTests: 1,
      testResults: [
        {
          name: resolve('test/a.test.ts'),
          status: 'failed',
          assertionResults: [
            { status: 'passed', fullName: 'a works', failureMessages: [] },
            { status: 'failed', fullName: 'a breaks', failureMessages: ['expected 1\nto be 2'] },
          ],
        },
        {
          name: resolve('test/b.test.ts'),
          status: 'failed',
          message: 'no such module',
          assertionResults: [],
        },
      ],
    })
    expect(totals(0, 'unit:1')).toEqual({
      lines: [
        'failed in unit: test/a.test.ts > a breaks',
        '    expected 1',
        '    to be 2',
        'failed in unit: test/b.test.ts > could not be loaded',
        '    no such module',
        '1 passed, 2 failed',
      ],
      status: 1,
    })
  })

  it('count one failure for a run without a report, and for one that failed outside of its tests', () => {
    report('kafka', { numPassedTests: 2, testResults: [] })
    expect(totals(0, 'unit:1', 'kafka:1')).toEqual({ lines: ['2 passed, 2 failed'], status: 1 })
  })

  it('add the failures that no report counts', () => {
    report('unit', { numPassedTests: 2, testResults: [] })
    expect(totals(2, 'unit:0')).toEqual({ lines: ['2 passed, 2 failed'], status: 1 })
  })
})
