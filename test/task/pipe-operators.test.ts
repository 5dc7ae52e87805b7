import type { OperatorFunction } from 'rxjs'
import { expect, it } from 'vitest'
import { string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })
const output = topic('output', { value: string })

it.each<readonly [string, () => unknown, RegExp]>([
  [
    'throws',
    () => {
      throw new Error('no such operator')
    },
    /a function given to pipe has failed as it was applied: no such operator .*node pipe/,
  ],
  [
    'returns a promise that rejects',
    () => Promise.reject(new Error('late')),
    /returned a Promise, which is no Observable .*give RxJS operators/,
  ],
  ['returns nothing', () => undefined, /returned undefined, which is no Observable/],
  ['returns a number', () => 5, /returned 5, which is no Observable/],
])('an operator of pipe that %s is a failure of the task', async (_, operator, message) => {
  const plan = topology('piped', (builder) => {
    builder
      .stream(words)
      .pipe(operator as unknown as OperatorFunction<unknown, { key: string; value: string }>)
      .to(output)
  })
  using driver = testDriver(plan, { policies: { processingFailure: 'skip' } })
  expect(() => driver.input(words).pipe('k', 'a')).toThrow(message)
  // A rejection that nobody takes would fail this test.
  await new Promise((done) => setTimeout(done, 1))
})
