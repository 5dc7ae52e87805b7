import { describe, expect, it } from 'vitest'
import { string, topic, topology } from '../../src/index.ts'
import { LoneTask } from '../support/lone-task.ts'

const words = topic('words', { value: string })

/** A task whose asynchronous work is answered by the test. */
const setUp = (concurrency = 8) => {
  const answers = new Map<string, () => void>()
  const lone = new LoneTask(
    topology('offsets', (builder) => {
      builder
        .stream(words)
        .mapValuesAsync((word) => new Promise<string>((resolve) => answers.set(word, () => resolve(word))), {
          concurrency,
          orderedBy: 'nothing',
          value: string,
        })
        .to(topic('out', { value: string }))
    }),
  )
  const push = (...values: readonly string[]): void => {
    for (const value of values) lone.push(words, 'k', value)
  }
  return { lone, task: lone.task, push, answer: (word: string) => answers.get(word)?.() }
}

describe('the offset a task may commit', () => {
  it('stays before the oldest record whose asynchronous work goes on', async () => {
    const { lone, task, push, answer } = setUp()
    push('0', '1', '2')
    expect(task.process(10)).toBe(3)
    expect(task.queue('words')?.nextOffset).toBe(3)
    expect(task.committableOffset('words')).toBe(0)
    answer('1')
    await task.pendingAsync()
    task.process(10)
    expect(lone.values()).toEqual(['1'])
    expect(task.committableOffset('words')).toBe(0)
    answer('0')
    await task.pendingAsync()
    expect(task.committableOffset('words')).toBe(0)
    task.process(10)
    expect(task.committableOffset('words')).toBe(2)
    answer('2')
    await task.drain()
    expect(task.committableOffset('words')).toBe(3)
    expect(lone.values()).toEqual(['0', '2'])
  })

  it('stays before a record whose work has gone on to other asynchronous work', async () => {
    const lone = new LoneTask(
      topology('chained', (builder) => {
        builder
          .stream(words)
          .mapValuesAsync(async (word) => word)
          .mapValuesAsync(() => new Promise<string>(() => {}), { value: string })
          .to(topic('out', { value: string }))
      }),
    )
    lone.push(words, 'k', '0')
    lone.task.process(1)
    await lone.task.pendingAsync()
    expect(lone.task.process(1)).toBe(1)
    expect(lone.task.committableOffset('words')).toBe(0)
  })

  it('is the next offset where nothing asynchronous is in flight', () => {
    const { task } = setUp()
    expect(task.committableOffset('words')).toBe(0)
    expect(task.pendingAsync()).toBeUndefined()
  })
})

describe('a task with asynchronous work', () => {
  it('takes no more records while four times its concurrency are in hand', async () => {
    const { task, push, answer } = setUp(1)
    push('0', '1', '2', '3', '4', '5')
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
    const { lone, task, push, answer } = setUp()
    push('0')
    task.process(10)
    expect(lone.workReadyCalls).toBe(0)
    answer('0')
    await task.pendingAsync()
    expect(lone.workReadyCalls).toBe(1)
  })
})
