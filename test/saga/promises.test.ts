import { expect, it } from 'vitest'
import * as z from 'zod'
import type { Reply } from '../../src/saga/step.ts'
import { classifies, refuses, succeeds } from '../../src/saga/step.ts'
import { saga } from '../../src/saga/saga.ts'
import { sagaTopology } from '../../src/saga/saga-topology.ts'
import { json, string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const text = (name: string) => topic(name, { value: string })
const [started, command, done, refused, undo, undone, ended] = [
  text('started'),
  text('command'),
  text('done'),
  text('refused'),
  text('undo'),
  text('undone'),
  text('ended'),
] as const

const fetchIt = (): never => Promise.reject(new Error('late')) as never

interface Callbacks {
  readonly command: () => string
  readonly undo: () => string
  readonly classify: () => 'success' | 'refusal'
  readonly outcome: () => string
}

const plain: Callbacks = {
  command: () => 'a',
  undo: () => 'a',
  classify: () => 'success',
  outcome: () => 'a',
}

/** A rejection that nobody takes would fail the test. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1))

it.each<readonly [string, Partial<Callbacks>, string]>([
  ['command', { command: fetchIt }, "the command of step 'first'"],
  ['undo', { undo: fetchIt }, "the undo of step 'first'"],
  ['classify', { classify: fetchIt }, "the classifier of reply 'done'"],
  ['outcome', { outcome: fetchIt }, 'the outcome of the saga'],
])('a promise from the %s of a saga is refused, and its rejection taken', async (what, own, message) => {
  const callbacks = { ...plain, ...own }
  const answered: Reply = classifies(done, callbacks.classify)
  const definition = saga('booking', {
    startedBy: started,
    timeout: 1000,
    outcome: { to: ended, value: callbacks.outcome },
    steps: (step) => ({
      first: step({
        command: { to: command, value: callbacks.command },
        replies: { done: answered },
        undo: { to: undo, value: callbacks.undo, replies: { undone: succeeds(undone) } },
      }),
      ...(what === 'undo'
        ? {
            second: step({
              kind: 'pivot',
              command: { to: text('other'), value: () => 'a' },
              replies: { refused: refuses(refused) },
            }),
          }
        : {}),
    }),
  })
  using driver = testDriver(sagaTopology(definition), { policies: { processingFailure: 'skip' } })
  const run = (): void => {
    driver.input(started).pipe('k', 'a')
    driver.input(done).pipe('k', 'a')
    if (what === 'undo') driver.input(refused).pipe('k', 'a')
  }
  expect(run).toThrow(`${message} returned a promise`)
  await settle()
})

it('rejections of promises in a value that JSON refuses are taken', async () => {
  const words = text('words')
  const plan = topology('nested', (builder) => {
    builder
      .stream(words)
      .mapValues(() => ({ a: { b: [fetchIt()] } }))
      .to(topic('output', { value: json(z.any()) }))
  })
  using driver = testDriver(plan, { policies: { productionFailure: 'skip' } })
  driver.input(words).pipe('k', 'a')
  expect(driver.dropped()).toEqual({ failed: 1 })
  await settle()
})
