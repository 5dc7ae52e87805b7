import { beforeEach, describe, expect, it } from 'vitest'
import { Fault } from '../../src/base/fault.ts'
import { string, topic, topology } from '../../src/index.ts'
import { CarefulProgress } from '../../src/runtime/careful-progress.ts'
import { RunningTask } from '../../src/runtime/running-task.ts'
import { LoneTask } from '../support/lone-task.ts'

const orders = topic('orders', { value: string })
const program = topology('shop', (builder) => builder.stream(orders).to(topic('out', { value: string })))
const faultOf = (code: string) => new Fault({ code, actor: 'runtime', message: code })

/** A stream thread's part in memory: records come from `committed` on, and work is lost or committed. */
class Shop {
  readonly progress = new CarefulProgress({
    transactionTimeoutMs: 1_000,
    sessionTimeoutMs: 2_000,
  })
  committed = 0
  running = this.#open()

  #open(): RunningTask {
    const lone = new LoneTask(program)
    for (let offset = 0; offset < 4; offset++) lone.push(orders, 'k', String(offset))
    const queue = lone.task.queue('orders')
    while ((queue?.nextOffset ?? 0) < this.committed) queue?.take()
    const running = new RunningTask(lone.task, [{ topic: 'orders', partition: 0 }], [], 'shop')
    running.begin({ topic: 'orders', partition: 0 }, { offset: this.committed, metadata: null })
    return running
  }

  process(): number {
    const done = this.progress.isOneByOne
      ? this.progress.processOne([this.running])
      : this.running.task.process(1_000)
    this.progress.began(0)
    return done
  }

  lose(code: string, workedMs: number): void {
    this.progress.worked(workedMs)
    this.progress.lost(faultOf(code), [this.running], 100_000)
    this.progress.forgetWork()
    this.running = this.#open()
  }

  commit(): void {
    const offsets = this.running.offsetsToCommit()
    this.running.committed(offsets, new Map())
    this.committed = offsets[0]?.offset ?? this.committed
    this.progress.committed([this.running])
  }
}

describe('work that is lost because it took too long', () => {
  let shop: Shop
  beforeEach(() => {
    shop = new Shop()
  })

  it('comes again one record at a time, until all of it is committed', () => {
    expect(shop.process()).toBe(4)
    shop.lose('TRANSACTION_TIMED_OUT', 1_000)
    for (let offset = 0; offset < 4; offset++) {
      expect(shop.progress.isOneByOne).toBe(true)
      expect(shop.process()).toBe(1)
      shop.commit()
    }
    expect(shop.progress.isOneByOne).toBe(false)
  })

  it.each([
    ['TRANSACTION_TIMED_OUT', 1_000, 'transactionTimeoutMs'],
    ['UNKNOWN_MEMBER_ID', 2_000, 'sessionTimeoutMs'],
  ])('fails the record that lost it three times by %s', (code, workedMs, setting) => {
    shop.process()
    shop.lose(code, workedMs)
    shop.process()
    shop.commit()
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(shop.process()).toBe(1)
      shop.lose(code, workedMs)
    }
    const said = expect.objectContaining({
      code: 'RECORD_TOO_SLOW',
      actor: 'record',
      message: expect.stringContaining(setting) as string,
      place: expect.objectContaining({
        topic: 'orders',
        partition: 0,
        offset: 1,
        node: 'stream-0000',
      }) as object,
    })
    expect(() => shop.process()).toThrow(said as Error)
  })

  it('counts from the first time where it was one record alone', () => {
    shop.committed = 3
    shop.lose('OTHER', 0)
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(shop.process()).toBe(1)
      shop.lose('TRANSACTION_TIMED_OUT', 1_000)
    }
    expect(() => shop.process()).toThrow('offset 3')
  })

  it.each([
    ['a broker that was away', 'TRANSACTION_TIMED_OUT', 50],
    ['records that were not stored in time', 'DELIVERY_TIMED_OUT', 200_000],
    ['a group that went on for another reason', 'UNKNOWN_MEMBER_ID', 50],
    ['a retry of a record', 'RECORD_RETRIED', 200_000],
  ])('is never counted for %s', (_, code, workedMs) => {
    shop.committed = 3
    shop.lose('OTHER', 0)
    for (let attempt = 1; attempt <= 20; attempt++) {
      expect(shop.process()).toBe(1)
      shop.lose(code, workedMs)
      expect(shop.progress.isOneByOne).toBe(false)
    }
  })
})
