import { join } from 'node:path'
import { expect, it } from 'vitest'
import { programHere } from '../support/run-program.ts'
import { trialsIn } from './runner/find-trials.ts'
import { runTrials, type TrialOutcome } from './runner/run-trials.ts'

const fakes = await trialsIn(join(import.meta.dirname, 'fakes'))

const run = async (
  names: readonly string[],
  signal = new AbortController().signal,
): Promise<{ readonly outcomes: readonly TrialOutcome[]; readonly lines: readonly string[] }> => {
  const lines: string[] = []
  const chosen = names.flatMap((name) => fakes.filter((each) => each.name === name))
  const outcomes = await runTrials(chosen, { log: (line) => void lines.push(line), signal })
  return { outcomes, lines }
}

it('trials run one after the other, each in a process of its own with its broker', async () => {
  const { outcomes, lines } = await run(['holds', 'breaks'])
  expect(outcomes.map(({ trial, passed }) => [trial.name, passed])).toEqual([
    ['holds', true],
    ['breaks', false],
  ])
  expect(outcomes[0]?.measured).toMatch(/^broker 127\.0\.0\.1, process \d+$/)
  expect(outcomes[0]?.measured).not.toContain(`process ${process.pid}`)
  expect(lines).toEqual([
    '[1/2] holds: nothing is wrong',
    expect.stringMatching(/^ {2}passed in [\d.]+ s: broker 127/),
    '[2/2] breaks: a bound that does not hold',
    expect.stringMatching(/^ {2}FAILED in [\d.]+ s: 2$/),
  ])
})

it.each([
  ['rejects', 'the broker is gone'],
  ['crashes', 'the process of the trial ended (SIGSEGV)'],
  ['waits', 'not done after 0.5 s (aborted)'],
])('a trial that %s fails, and the next one runs', async (name, measured) => {
  const { outcomes } = await run([name, 'holds'])
  expect(outcomes.map(({ passed }) => passed)).toEqual([false, true])
  expect(outcomes[0]?.measured).toBe(measured)
})

it('an interrupted run ends its trial and starts no other', async () => {
  const interrupted = new AbortController()
  const running = run(['waits', 'holds'], interrupted.signal)
  setTimeout(() => interrupted.abort(), 200)
  const { outcomes } = await running
  expect(outcomes.map(({ trial }) => trial.name)).toEqual(['waits'])
})

it('the command lists the trials with their bounds', async () => {
  const { code, stdout } = await programHere(join(import.meta.dirname, 'main.ts'), ['--list'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\| trial +\| finding +\| bound +\| needs +\|/)
})
