import { expect, it } from 'vitest'
import { StateWaiters } from '../../src/runtime/state-waiters.ts'

it.each<readonly [unknown, RegExp]>([
  ['runing', /got the text 'runing'; did you mean 'running'/],
  ['zzzzzzzz', /got the text 'zzzzzzzz'; give one of starting, /],
  [undefined, /got undefined; give one of starting, /],
])('waiting for the state %s is refused', async (state, message) => {
  await expect(new StateWaiters('app').wait(state as never, 'starting', undefined)).rejects.toThrow(message)
})
