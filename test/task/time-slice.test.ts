import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { TimeSlice } from '../../src/base/time-slice.ts'
import { double, topic, topology } from '../../src/index.ts'
import { LoneTask } from '../support/lone-task.ts'

const input = topic('input', { value: double })
const out = topic('out', { value: double })

/** A task whose callback takes as many milliseconds as the value of its record says. */
const working = (values: readonly number[]) => {
  const lone = new LoneTask(
    topology('slow', (builder) => {
      builder
        .stream(input)
        .peek(({ value }) => lone.clock.advance(value))
        .to(out)
    }),
  )
  for (const value of values) lone.push(input, 'k', value)
  return { lone, slice: new TimeSlice(lone.clock, 50) }
}

const repeated = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

/** Records of a microsecond each, for long enough to be measured. */
const fast = repeated(5, [...repeated(999, 0), 1]).flat()

describe('the records of a time slice', () => {
  it('end with the record at which its time is over', () => {
    const { lone, slice } = working(repeated(100, 12))
    expect(lone.task.process(1_000, slice)).toBe(5)
    slice.begin()
    expect(lone.task.process(1_000, slice)).toBe(5)
    expect(lone.task.process(1_000, slice)).toBe(0)
  })

  it('end at their number where they are fast', () => {
    const { lone, slice } = working(repeated(100, 0))
    expect(lone.task.process(60, slice)).toBe(60)
    expect(lone.task.process(60, slice)).toBe(40)
  })

  it.each([0, 1, 2, 3])(
    'end at most three records later where %i more than some were fast before',
    (more) => {
      const before = [...fast, ...repeated(more, 0)]
      const { lone, slice } = working([...before, ...repeated(99, 500)])
      const done = lone.task.process(10_000, slice)
      expect(done).toBeGreaterThan(before.length)
      expect(done).toBeLessThanOrEqual(before.length + 4)
      slice.begin()
      expect(lone.task.process(10_000, slice)).toBe(1)
    },
  )

  it('are measured all, also where fewer are left than pass between two looks at the clock', () => {
    const { lone, slice } = working([...fast, 0, 1_500])
    lone.task.process(fast.length, slice)
    slice.begin()
    expect(lone.task.process(10, slice)).toBe(2)
    expect(lone.blocked.map(({ durationMs }) => durationMs)).toEqual([1_500])
  })
})

describe('punctuators of a time slice', () => {
  const scheduled = (type: 'wallClock' | 'streamTime', count: number) => {
    const calls: number[] = []
    const lone = new LoneTask(
      topology('timers', (builder) => {
        builder
          .stream(input)
          .process<string, number>((context) => {
            for (let index = 0; index < count; index++)
              context.schedule(1_000, type, () => {
                lone.clock.advance(10)
                calls.push(index)
              })
            return { process: ({ value }) => void calls.push(-value) }
          })
          .to(out)
      }),
    )
    return { lone, calls, slice: new TimeSlice(lone.clock, 50) }
  }

  it('leave those of wall-clock time due for the next slice, and each has its turn', () => {
    const { lone, calls, slice } = scheduled('wallClock', 12)
    lone.clock.advance(1_000)
    for (const done of [5, 10, 12]) {
      slice.begin()
      lone.task.punctuateWallClock(slice)
      expect(calls).toHaveLength(done)
    }
    expect(new Set(calls).size).toBe(12)
  })

  it('run those of stream time before the next record, in as many slices as they take', () => {
    const { lone, calls, slice } = scheduled('streamTime', 12)
    lone.push(input, 'k', 1, { timestamp: 5 })
    lone.push(input, 'k', 2, { timestamp: 6 })
    expect(lone.task.process(10, slice)).toBe(1)
    expect(calls).toHaveLength(6)
    expect(lone.task.isReady).toBe(true)
    for (let more = 0; more < 2; more++) {
      slice.begin()
      lone.task.process(10, slice)
    }
    expect(calls.filter((call) => call >= 0)).toHaveLength(12)
    expect([calls[0], calls.at(-1)]).toEqual([-1, -2])
    expect(lone.task.isReady).toBe(false)
  })
})

describe('updates that are coalesced until a commit', () => {
  const counted = (onEmit: (key: string, lone: LoneTask) => void) => {
    const lone: LoneTask = new LoneTask(
      topology('counts', (builder) => {
        builder
          .stream(input)
          .groupByKey()
          .count({ store: 'counts', emit: 'onCommit' })
          .toStream()
          .peek(({ key }) => onEmit(key, lone))
          .to(out)
      }),
    )
    for (let key = 0; key < 12; key++) lone.push(input, `k${key}`, 0)
    lone.task.process(100)
    return lone
  }

  it('are emitted in several slices where what follows is slow', () => {
    const lone = counted((_, { clock }) => clock.advance(10))
    const slice = new TimeSlice(lone.clock, 50)
    const done = [5, 10, 12].map((emitted) => {
      slice.begin()
      const isDone = lone.task.prepareCommit(slice)
      expect(lone.sent).toHaveLength(emitted)
      return isDone
    })
    expect(done).toEqual([false, false, true])
  })
})

describe('a callback that blocks for a second', () => {
  const origin = { topic: 'input', partition: 0, offset: 0 }

  it('is reported with its node, its own time and the record', () => {
    const { lone, slice } = working([1_200])
    lone.task.process(10, slice)
    expect(lone.blocked).toEqual([
      { durationMs: 1_200, longest: { node: 'peek-0001', durationMs: 1_200 }, origin },
    ])
  })

  it('is reported without its node where thousands before it were fast, and with it the next time', () => {
    const { lone, slice } = working([...fast, 1_500, ...fast, 1_500])
    while (lone.task.isReady) {
      slice.begin()
      lone.task.process(10_000, slice)
    }
    expect(lone.blocked.map(({ longest }) => longest?.node)).toEqual([undefined, 'peek-0001'])
  })

  it('is reported of a punctuator', () => {
    const lone = new LoneTask(
      topology('timers', (builder) => {
        builder
          .stream(input)
          .process<string, number>(
            (context) => {
              context.schedule(10, 'wallClock', () => lone.clock.advance(3_000))
              return { process: () => undefined }
            },
            { name: 'timer' },
          )
          .to(out)
      }),
    )
    lone.clock.advance(10)
    lone.task.punctuateWallClock(new TimeSlice(lone.clock, 50))
    expect(lone.blocked).toEqual([
      { durationMs: 3_000, longest: { node: 'timer', durationMs: 3_000 }, origin: undefined },
    ])
  })
})

describe('several that wait for the next slice', () => {
  it('go on one after another, each within the time', async () => {
    const clock = new ManualClock()
    const slice = new TimeSlice(clock, 50)
    const order: number[] = []
    let iterations = 0
    const count = (): void => {
      iterations++
      if (order.length < 6) setImmediate(count)
    }
    setImmediate(count)
    await Promise.all(
      [0, 1, 2, 3, 4, 5].map(async (index) => {
        while (slice.check()) await slice.next()
        clock.advance(40)
        order.push(index)
      }),
    )
    expect(order).toEqual([0, 1, 2, 3, 4, 5])
    expect(iterations).toBeGreaterThanOrEqual(2)
  })
})
