import { expect, it } from 'vitest'
import { string, topic, topology } from '../../src/index.ts'
import { LoneTask } from '../support/lone-task.ts'

const words = topic('words', { value: string })

it.each([
  ['a timer', (work: () => void) => void setTimeout(work, 1)],
  ['a promise', (work: () => void) => void Promise.resolve().then(work)],
])(
  'a processor that forwards from %s fails its task at the next step, and not the process',
  async (_what, later) => {
    const lone = new LoneTask(
      topology('forwarding', (builder) => {
        builder
          .stream(words)
          .process<string, string>(
            (context) => ({
              process: (record) => later(() => context.forward(record)),
            }),
            { name: 'forwarder' },
          )
          .to(topic('output', { value: string }))
      }),
    )
    lone.pipe(words, 'k', 'a')
    await new Promise((done) => setTimeout(done, 10))
    expect(() => lone.task.prepareCommit()).toThrow(
      expect.objectContaining({
        code: 'EMISSION_OUTSIDE_TURN',
        place: expect.objectContaining({ node: 'forwarder' }),
      }),
    )
    expect(lone.sent).toEqual([])
  },
)
