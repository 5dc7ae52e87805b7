import { expect, it } from 'vitest'
import { string, topic } from '../../src/index.ts'
import { saga } from '../../src/saga/saga.ts'
import { sagaTopology } from '../../src/saga/saga-topology.ts'
import { succeeds } from '../../src/saga/step.ts'
import { testDriver } from '../../src/testing/index.ts'

const text = (name: string) => topic(name, { value: string })
const [started, command, done, undo, undone] = [
  text('started'),
  text('command'),
  text('done'),
  text('undo'),
  text('undone'),
] as const

const fail = (): never => {
  throw new Error('cannot be built')
}

let built = 0
const onceOnly = (): string => (built++ === 0 ? 'a' : fail())

it.each<readonly [string, () => string, () => string, number]>([
  ['an undo', () => 'a', fail, 1],
  ['a second attempt', onceOnly, () => 'a', 2],
])('a saga is counted as stuck where %s cannot be built', (_, value, undoValue, attempts) => {
  const definition = saga('booking', {
    startedBy: started,
    timeout: 1000,
    steps: (step) => ({
      first: step({
        command: { to: command, value },
        replies: { done: succeeds(done) },
        retry: { attempts },
        undo: { to: undo, value: undoValue, replies: { undone: succeeds(undone) } },
      }),
    }),
  })
  using driver = testDriver(sagaTopology(definition))
  driver.input(started).pipe('k', 'a')
  for (let time = 0; time < 4; time++) driver.advanceWallClock(2000)
  expect(driver.dropped()).toEqual({ sagaStuck: 1 })
})
