import { describe, expect, it } from 'vitest'
import { Fault } from '../../src/base/fault.ts'
import { RecordRetries } from '../../src/runtime/record-retries.ts'
import type { TaskFailure } from '../../src/task/ports.ts'

const failureAt = (offset: number, more: Partial<TaskFailure> = {}): TaskFailure => ({
  node: 'mapValues-0001',
  stage: 'processing',
  origin: { topic: 'orders', partition: 0, offset },
  fault: new Fault({ code: 'RECORD_FAILED', actor: 'record', message: 'boom' }),
  ...more,
})

const retrying = (attempts: number) => {
  const handled: number[] = []
  const handle = new RecordRetries({
    processingRetryAttempts: attempts,
    processingRetryBackoffMs: 50,
  }).before(({ origin }) => {
    handled.push(origin?.offset ?? -1)
    return 'continue'
  })
  return { handle, handled }
}

describe('retries of records', () => {
  it('come before the policy, as often as they are allowed', () => {
    const { handle, handled } = retrying(2)
    expect(() => handle(failureAt(7), undefined)).toThrow('retry 1')
    expect(() => handle(failureAt(7), undefined)).toThrow('retry 2')
    expect(handle(failureAt(7), undefined)).toBe('continue')
    expect(handled).toEqual([7])
  })

  it('are counted for each record by itself', () => {
    const { handle, handled } = retrying(1)
    expect(() => handle(failureAt(7), undefined)).toThrow(Fault)
    expect(() => handle(failureAt(8), undefined)).toThrow(Fault)
    expect(handle(failureAt(7), undefined)).toBe('continue')
    expect(handle(failureAt(8), undefined)).toBe('continue')
    expect(handled).toEqual([7, 8])
  })

  it.each([
    ['what cannot be read', { stage: 'deserialization' }],
    ['what cannot be written', { stage: 'production' }],
    ['what is no record', { origin: undefined }],
    ["the author's mistakes", { fault: new Fault({ code: 'X', actor: 'author', message: 'x' }) }],
  ] as const)('are not for %s', (_, more) => {
    const { handle, handled } = retrying(5)
    expect(handle(failureAt(7, more), undefined)).toBe('continue')
    expect(handled).toHaveLength(1)
  })

  it('are off unless they are asked for', () => {
    const { handle } = retrying(0)
    expect(handle(failureAt(7), undefined)).toBe('continue')
  })

  it('pause before the record comes again, and only then', () => {
    const retries = new RecordRetries({ processingRetryAttempts: 1, processingRetryBackoffMs: 50 })
    let thrown: unknown
    try {
      retries.before(() => 'fail')(failureAt(1), undefined)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ code: 'RECORD_RETRIED', actor: 'retry' })
    expect(retries.pauseMsAfter(thrown as Fault)).toBe(50)
    expect(retries.pauseMsAfter(new Fault({ code: 'OTHER', actor: 'retry', message: 'x' }))).toBe(0)
  })
})
