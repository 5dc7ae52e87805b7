import { expect, it } from 'vitest'
import { string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })
const nothing = (): void => {}

it.each<readonly [string, readonly unknown[], RegExp]>([
  ['a misspelt type', [5, 'wallclock', nothing], /by the text 'wallclock' .*did you mean 'wallClock'/],
  ['another type', [5, 'event', nothing], /by the text 'event' .*give streamTime or wallClock/],
  ['no type', [5], /by undefined/],
  ['no callback', [5, 'wallClock'], /needs a function that is not async, and got undefined/],
  ['a wrong callback', [5, 'wallClock', 'x'], /needs a function that is not async, and got the text 'x'/],
  ['an async callback', [5, 'wallClock', async () => {}], /needs a function that is not async/],
  ['interval 0', [0, 'wallClock', nothing], /every 0 ms/],
  ['a negative interval', [-1, 'wallClock', nothing], /every -1 ms/],
  ['a fraction', [5.5, 'streamTime', nothing], /every 5.5 ms/],
  ['a symbol', [Symbol('x'), 'streamTime', nothing], /every Symbol\(x\) ms/],
])('schedule refuses %s at once', (_, given, message) => {
  const plan = topology('scheduled', (builder) => {
    builder.stream(words).process((context) => {
      ;(context.schedule as (...parameters: readonly unknown[]) => void)(...given)
      return { process: nothing }
    })
  })
  expect(() => testDriver(plan)).toThrow(message)
})
