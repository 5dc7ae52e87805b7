import { join } from 'node:path'
import { expect, it } from 'vitest'
import { programHere } from './run-program.ts'

const root = join(import.meta.dirname, '../..')
const run = (file: string, ...args: readonly string[]) => programHere(join(root, file), args)

it.each([
  ['bench/main.ts', 'npm run bench -- [options]'],
  ['bench/soak.ts', 'npm run soak -- [options]'],
  ['bench/scale.ts', 'node bench/scale.ts [options]'],
  ['bench/operators.ts', 'node bench/operators.ts [options]'],
  ['test/runtime/chaos/main.ts', 'npm run chaos -- [options]'],
  ['test/trials/main.ts', 'npm run trials -- [options]'],
])('%s tells its options', async (file, usage) => {
  const { code, stdout } = await run(file, '--help')
  expect(code).toBe(0)
  expect(stdout).toContain(`Usage: ${usage}`)
  expect(stdout).toContain('(default: ')
})

it.each([
  [['--workload', 'W1,W10'], "there is no 'W10': use W1, W2"],
  [['--runs', 'many'], 'must be a whole number of at least 1'],
  [['--run', '3'], "unknown option '--run'\n(Did you mean --runs?)"],
])('a measurement refuses %j', async (args, message) => {
  const { code, stderr } = await run('bench/main.ts', ...args)
  expect(code).toBe(1)
  expect(stderr).toContain(message)
})
