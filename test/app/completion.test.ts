import { expect, it } from 'vitest'
import { Completion } from '../../src/app/completion.ts'

it('a promise without a handler is not watched, and its rejection is not an unhandled one', async () => {
  const completion = new Completion()
  completion.reject(new Error('failed'))
  await new Promise((resolve) => setImmediate(resolve))
  expect(completion.isWatched).toBe(false)
})

const pending = new Promise<void>(() => {})
const ways: readonly (readonly [string, (promise: Promise<void>) => Promise<unknown>])[] = [
  [
    'await',
    async (promise) => {
      await promise
    },
  ],
  ['then', (promise) => promise.then(() => {})],
  ['catch', (promise) => promise.catch(() => {})],
  ['finally', (promise) => promise.finally(() => {})],
  ['Promise.race', (promise) => Promise.race([promise, pending])],
  ['Promise.any', (promise) => Promise.any([promise, pending])],
]

it.each(ways)('%s is a handler', async (_name, attach) => {
  const completion = new Completion()
  const attached = attach(completion.promise)
  await Promise.resolve()
  expect(completion.isWatched).toBe(true)
  completion.resolve()
  await attached
})
