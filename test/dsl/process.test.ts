import { describe, expect, it } from 'vitest'
import type { Processor, ProcessorContext, Stream, ValueProcessorContext } from '../../src/index.ts'
import { headerText, keyValueStore, long, string, topic, topology, withHeader } from '../../src/index.ts'
import type { KeyValueStore } from '../../src/state/store.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })
const counts = topic('counts', { value: long })
const shouts = topic('shouts', { value: string })

const counting = (context: ProcessorContext<string, number>): Processor<string, string> => {
  const store = context.store<KeyValueStore<string, number>>('seen')
  return {
    process: ({ key, timestamp }) => {
      const count = (store.get(key) ?? 0) + 1
      store.put(key, count, timestamp)
      context.forward({ key, value: count })
    },
  }
}

const built = (define: (stream: Stream<string, string>) => void) =>
  testDriver(topology('process', (builder) => define(builder.stream(words))))

describe('a processor', () => {
  it('keeps what it knows in a connected store', () => {
    const driver = testDriver(
      topology('counting', (builder) => {
        builder.store(keyValueStore('seen', { value: long }))
        builder
          .stream(words)
          .process(counting, { name: 'count', stores: ['seen'] })
          .to(counts)
      }),
    )
    driver.input(words).pipe('a', 'x')
    driver.input(words).pipe('a', 'y')
    expect(driver.output(counts).readKeyValues()).toEqual([
      { key: 'a', value: 1 },
      { key: 'a', value: 2 },
    ])
    expect(driver.store<KeyValueStore<string, number>>('seen').get('a')).toBe(2)
  })

  it('is refused a store it is not connected to', () => {
    const driver = testDriver(
      topology('unconnected', (builder) => {
        builder.store(keyValueStore('seen', { value: long }))
        builder.stream(words).process(() => ({ process: () => {} }), { stores: ['seen'] })
        builder.stream(shouts).process((context) => ({
          process: () => void context.store('seen'),
        }))
      }),
    )
    expect(() => driver.input(shouts).pipe('a', 'x')).toThrow(/not connected/)
  })

  it('is refused a store nobody declared, before anything runs', () => {
    expect(() =>
      topology('undeclared', (builder) => {
        builder.stream(words).process(() => ({ process: () => {} }), { stores: ['nowhere'] })
      }),
    ).toThrow(/connects store 'nowhere'/)
  })

  it('forwards with the time and headers of the cause unless it gives its own', () => {
    const driver = built((stream) =>
      stream
        .process<string, string>((context) => ({
          process: ({ key, value, headers }) => {
            context.forward({ key, value })
            context.forward({ key, value: 'own', timestamp: 7, headers: withHeader(headers, 'h', 'new') })
          },
        }))
        .to(shouts, {}),
    )
    driver.input(words).pipe('a', 'x', { timestamp: 5, headers: withHeader([], 'h', 'old') })
    const found = driver
      .output(shouts)
      .readAll()
      .map(({ value, timestamp, headers }) => [value, timestamp, headerText(headers, 'h')])
    expect(found).toEqual([
      ['x', 5, 'old'],
      ['own', 7, 'new'],
    ])
  })

  it('forwards to one child by its name, or to all', () => {
    const driver = testDriver(
      topology('children', (builder) => {
        const stream = builder.stream(words).process<string, string>(
          (context) => ({
            process: ({ key, value }) => context.forward({ key, value }, value === 'all' ? undefined : value),
          }),
          { value: string },
        )
        stream.mapValues((value) => value.toUpperCase(), { name: 'upper', value: string }).to(shouts)
        stream.mapValues((value) => value.length, { name: 'length', value: long }).to(counts)
      }),
    )
    for (const value of ['upper', 'length', 'all']) driver.input(words).pipe('a', value)
    expect(driver.output(shouts).readKeyValues()).toEqual([
      { key: 'a', value: 'UPPER' },
      { key: 'a', value: 'ALL' },
    ])
    expect(driver.output(counts).readKeyValues()).toEqual([
      { key: 'a', value: 6 },
      { key: 'a', value: 3 },
    ])
  })

  it('is told that a child of another name is none of its own', () => {
    const driver = built((stream) =>
      stream
        .process<string, string>((context) => ({
          process: ({ key, value }) => context.forward({ key, value }, 'stranger'),
        }))
        .to(shouts),
    )
    expect(() => driver.input(words).pipe('a', 'x')).toThrow(/none of its children/)
  })

  it('reaches the store of a global table without being connected', () => {
    const driver = testDriver(
      topology('globals', (builder) => {
        builder.globalTable(counts, { store: 'rates' })
        builder
          .stream(words)
          .process<string, number>((context) => ({
            process: ({ key }) => {
              const rate = context.store<KeyValueStore<string, { value: number }>>('rates').get(key)
              context.forward({ key, value: rate?.value ?? -1 })
            },
          }))
          .to({ name: 'out', key: string, value: long })
      }),
    )
    driver.input(counts).pipe('a', 3)
    driver.input(words).pipe('a', 'x')
    driver.input(words).pipe('b', 'x')
    const out = driver.output({ name: 'out', key: string, value: long })
    expect(out.readKeyValues().map(({ value }) => value)).toEqual([3, -1])
  })

  it('is made for each task and closed with it', () => {
    const closed: string[] = []
    const driver = testDriver(
      topology('closing', (builder) => {
        builder.stream(words).process((context) => ({
          process: () => {},
          close: () => void closed.push(context.taskId),
        }))
      }),
      { partitions: 2 },
    )
    driver.close()
    expect(closed).toEqual(['0_0', '0_1'])
  })
})

describe('a value processor', () => {
  const doubling = (context: ValueProcessorContext<string>): Processor<string, string> => ({
    process: ({ value }) => context.forward({ value: value + value }),
  })

  it('keeps the key, so nothing after it is repartitioned', () => {
    const said = topology('values', (builder) => {
      builder
        .stream(words)
        .processValues(doubling, { value: string })
        .groupByKey()
        .count({ store: 'n' })
        .toStream()
        .to(counts)
    })
    expect(said.nodes.some(({ kind }) => kind === 'repartition')).toBe(false)
    const driver = testDriver(said)
    driver.input(words).pipe('a', 'x')
    expect(driver.output(counts).readKeyValues()).toEqual([{ key: 'a', value: 1 }])
  })

  it('has no key to forward under in a punctuator', () => {
    const driver = built((stream) =>
      stream
        .processValues<string>((context) => {
          context.schedule(10, 'wallClock', () => context.forward({ value: 'tick' }))
          return { process: () => {} }
        })
        .to(shouts),
    )
    expect(() => driver.advanceWallClock(10)).toThrow(/no record whose key/)
  })
})

describe('a punctuator', () => {
  const ticking = (type: 'streamTime' | 'wallClock', stopAfter = Infinity) =>
    built((stream) =>
      stream
        .process<string, string>((context) => {
          let ticks = 0
          const cancel = context.schedule(10, type, (time) => {
            context.forward({ key: 'tick', value: String(time), timestamp: time })
            if (++ticks === stopAfter) cancel()
          })
          return { process: () => {} }
        })
        .to(shouts),
    )

  it('of stream time fires with the first record, then in its own beat, once for missed intervals', () => {
    const driver = ticking('streamTime')
    for (const timestamp of [3, 9, 10, 11, 45, 46, 50]) driver.input(words).pipe('a', 'x', { timestamp })
    expect(
      driver
        .output(shouts)
        .readKeyValues()
        .map(({ value }) => value),
    ).toEqual(['3', '10', '45', '50'])
  })

  it('of the wall clock fires when the clock has moved on, whatever the records say', () => {
    const driver = ticking('wallClock')
    driver.input(words).pipe('a', 'x', { timestamp: 1_000 })
    driver.advanceWallClock(9)
    expect(driver.output(shouts).readKeyValues()).toEqual([])
    driver.advanceWallClock(1)
    driver.advanceWallClock(25)
    expect(
      driver
        .output(shouts)
        .readKeyValues()
        .map(({ value }) => value),
    ).toEqual(['10', '20', '30'])
    // A clock that jumps skips the intervals it missed.
    driver.clock.advance(25)
    driver.advanceWallClock(0)
    expect(
      driver
        .output(shouts)
        .readKeyValues()
        .map(({ value }) => value),
    ).toEqual(['60'])
  })

  it('stops when it is cancelled, also by itself', () => {
    const driver = ticking('wallClock', 1)
    driver.advanceWallClock(10)
    driver.advanceWallClock(10)
    expect(driver.output(shouts).readKeyValues()).toHaveLength(1)
  })

  it('cancelled by another that is due at the same time does not fire', () => {
    const fired: string[] = []
    const driver = built((stream) =>
      stream.process((context) => {
        let cancelSecond = (): void => {}
        context.schedule(10, 'wallClock', () => {
          fired.push('first')
          cancelSecond()
        })
        cancelSecond = context.schedule(10, 'wallClock', () => void fired.push('second'))
        return { process: () => {} }
      }),
    )
    driver.advanceWallClock(10)
    expect(fired).toEqual(['first'])
  })

  it('that is scheduled while records flow is aligned to stream time 0 all the same', () => {
    const fired: number[] = []
    const driver = built((stream) =>
      stream.process((context) => {
        let scheduled = false
        return {
          process: () => {
            if (!scheduled) context.schedule(10, 'streamTime', (time) => void fired.push(time))
            scheduled = true
          },
        }
      }),
    )
    for (const timestamp of [17, 19, 20, 27, 30]) driver.input(words).pipe('a', 'x', { timestamp })
    expect(fired).toEqual([17, 20, 30])
  })

  it('needs an interval of at least a millisecond', () => {
    expect(() =>
      built((stream) =>
        stream.process((context) => {
          context.schedule(0, 'wallClock', () => {})
          return { process: () => {} }
        }),
      ),
    ).toThrow(/at least one millisecond/)
  })

  it('that throws is a failure under the name of its step', () => {
    const driver = testDriver(
      topology('throwing', (builder) => {
        builder.stream(words).process(
          (context) => {
            context.schedule(10, 'wallClock', () => {
              throw new Error('no')
            })
            return { process: () => {} }
          },
          { name: 'clockwork' },
        )
      }),
    )
    expect(() => driver.advanceWallClock(10)).toThrow(/clockwork/)
  })
})
