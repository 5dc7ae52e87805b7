import { expect, it } from 'vitest'
import { topic, topology, string } from '../../src/index.ts'
import { RunningTask } from '../../src/runtime/running-task.ts'
import { LoneTask } from '../support/lone-task.ts'

it.each([
  [
    'throws',
    () => {
      throw new Error('not today')
    },
    'not today',
  ],
  ['returns a promise', () => Promise.reject(new Error('late')), 'returned a promise'],
])('a processor whose close %s is reported, and the stores are closed', async (_what, close, message) => {
  const { task } = new LoneTask(
    topology('closing', (builder) =>
      builder
        .stream(topic('input', { value: string }))
        .process(() => ({ process: () => {}, close: close as () => void })),
    ),
  )
  let isDiskClosed = false
  const running = new RunningTask(task, [], [], 'closing', {
    caughtUp: () => {},
    close: () => {
      isDiskClosed = true
      return Promise.resolve()
    },
  })
  await expect(running.close()).rejects.toThrow(message)
  expect(isDiskClosed).toBe(true)
})
