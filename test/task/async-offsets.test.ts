import { describe, expect, it } from 'vitest'
import { string, topic, topology } from '../../src/index.ts'
import { ManualClock } from '../../src/base/manual-clock.ts'
import type { TaskHost } from '../../src/task/ports.ts'
import { Task } from '../../src/task/task.ts'
import { columnsOf } from '../../src/topic/record-columns.ts'
import { utf8Encode } from '../../src/base/bytes.ts'
import type { SubTopology } from '../../src/topology/sub-topologies.ts'
import { subTopologiesOf } from '../../src/topology/sub-topologies.ts'
import { openMemoryStore } from '../../src/state/open-memory-store.ts'

const words = topic('words', { value: string })

/** A task whose asynchronous work is answered by the test, and what it has sent. */
const setUp = (concurrency = 8) => {
  const answers = new Map<string, () => void>()
  const sent: unknown[] = []
  let ready = 0
  const built = topology('offsets', (builder) => {
    builder
      .stream(words)
      .mapValuesAsync((word) => new Promise<string>((resolve) => answers.set(word, () => resolve(word))), {
        concurrency,
        orderedBy: 'nothing',
        value: string,
      })
      .to(topic('out', { value: string }))
  })
  const host: TaskHost = {
    applicationId: 'offsets',
    clock: new ManualClock(),
    output: { send: (_topic, _target, record) => void sent.push(record.value) },
    openStore: openMemoryStore,
    globalStore: () => {
      throw new Error('no global tables')
    },
    changelog: { append: () => {} },
    dropped: () => {},
    requestCommit: () => {},
    workReady: () => void ready++,
  }
  const task = new Task({
    topology: built,
    subTopology: subTopologiesOf(built)[0] as SubTopology,
    partition: 0,
    host,
  })
  const push = (...values: readonly string[]): void =>
    task.push(
      'words',
      columnsOf(
        values.map((value, offset) => ({ key: null, value: utf8Encode(value), timestamp: 0, offset })),
      ),
    )
  return { task, push, answer: (word: string) => answers.get(word)?.(), sent, readyCalls: () => ready }
}

const keyed = (value: string) => ({ key: utf8Encode('k'), value: utf8Encode(value), timestamp: 0 })

describe('the offset a task may commit', () => {
  it('stays before the oldest record whose asynchronous work goes on', async () => {
    const { task, answer, sent } = setUp()
    task.push('words', columnsOf([keyed('0'), keyed('1'), keyed('2')]))
    expect(task.process(10)).toBe(3)
    expect(task.queue('words')?.nextOffset).toBe(3)
    expect(task.committableOffset('words')).toBe(0)
    answer('1')
    await task.pendingAsync()
    task.process(10)
    expect(sent).toEqual(['1'])
    expect(task.committableOffset('words')).toBe(0)
    answer('0')
    await task.pendingAsync()
    expect(task.committableOffset('words')).toBe(0)
    task.process(10)
    expect(task.committableOffset('words')).toBe(2)
    answer('2')
    await task.drain()
    expect(task.committableOffset('words')).toBe(3)
    expect(sent).toEqual(['1', '0', '2'])
  })

  it('is the next offset where nothing is asynchronous in flight', () => {
    const { task } = setUp()
    expect(task.committableOffset('words')).toBe(0)
    expect(task.pendingAsync()).toBeUndefined()
  })
})

describe('a task with asynchronous work', () => {
  it('takes no more records while four times its concurrency are in hand', async () => {
    const { task, answer } = setUp(1)
    task.push('words', columnsOf(['0', '1', '2', '3', '4', '5'].map(keyed)))
    expect(task.process(10)).toBe(4)
    expect(task.isReady).toBe(false)
    expect(task.queued).toBe(2)
    answer('0')
    await task.pendingAsync()
    expect(task.isReady).toBe(true)
    expect(task.process(10)).toBe(2)
    expect(task.queued).toBe(1)
  })

  it('tells its host when a result waits for a turn', async () => {
    const { task, answer, readyCalls } = setUp()
    task.push('words', columnsOf([keyed('0')]))
    task.process(10)
    expect(readyCalls()).toBe(0)
    answer('0')
    await task.pendingAsync()
    expect(readyCalls()).toBe(1)
  })

  it('refuses a null key of its topic before any work begins', () => {
    const { task, push } = setUp()
    push('x')
    expect(() => task.process(1)).toThrow(/null key/)
  })
})
