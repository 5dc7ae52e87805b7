import { TestScheduler } from 'rxjs/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { string, topic, topology, within } from '../../src/index.ts'
import { matchers, testDriver } from '../../src/testing/index.ts'

expect.extend(matchers)

const orders = topic('orders', { value: string })
const payments = topic('payments', { value: string })
const out = topic('out', { value: string })

const copying = topology('copying', (builder) => {
  builder.stream(orders).to(out)
})
const a = { key: 'k', value: 'a' }
const b = { key: 'k', value: 'b' }
const c = { key: 'l', value: 'c' }

describe('marbles of an input', () => {
  it('are written on the time of the driver, a millisecond a frame', () => {
    const driver = testDriver(copying, { startMs: 1_000 })
    driver.input(orders).marbles(' a-(bc) 20ms a-', { a, b, c })
    expect(
      driver
        .output(out)
        .readAll()
        .map(({ value, timestamp }) => [value, timestamp]),
    ).toEqual([
      ['a', 1_000],
      ['b', 1_002],
      ['c', 1_002],
      ['a', 1_026],
    ])
    expect(driver.clock.now()).toBe(1_028)
  })

  it('go on where those before have ended, in frames of any length', () => {
    const driver = testDriver(copying)
    driver.input(orders).marbles('a-', { a }, { frameMs: 500 })
    driver.input(orders).marbles('-b', { b })
    expect(
      driver
        .output(out)
        .readAll()
        .map(({ timestamp }) => timestamp),
    ).toEqual([0, 1_001])
    expect(TestScheduler.frameTimeFactor).toBe(10)
  })

  it('let punctuators of the wall clock have their turns between the frames', () => {
    const seen: string[] = []
    const driver = testDriver(
      topology('ticking', (builder) => {
        builder.stream(orders).process<string, string>((context) => {
          context.schedule(2, 'wallClock', () => seen.push('tick'))
          return { process: ({ value }) => void seen.push(value) }
        })
      }),
    )
    driver.input(orders).marbles('a---b', { a, b })
    expect(seen).toEqual(['a', 'tick', 'tick', 'b'])
  })

  it.each([
    ['a|', 'neither completes nor fails'],
    ['a#', 'neither completes nor fails'],
    ['^-a', 'no observer subscribes'],
    ['ax', "no value is given for 'x'"],
    ['(a', 'cannot be read'],
    ['a!', 'cannot be read'],
  ])('%s are refused', (diagram, problem) => {
    const input = testDriver(copying).input(orders)
    expect(() => input.marbles(diagram, { a })).toThrow(problem)
  })

  it('are refused where a frame has no length', () => {
    const input = testDriver(copying).input(orders)
    expect(() => input.marbles('a', { a }, { frameMs: 0 })).toThrow('frameMs')
  })
})

describe('toBeMarbles', () => {
  const joining = topology('joining', (builder) => {
    builder
      .stream(orders)
      .join(builder.stream(payments), (order, payment) => `${order}+${payment}`, {
        name: 'paid',
        windows: within(3),
      })
      .to(out)
  })
  let driver = testDriver(joining)
  afterEach(() => (driver = testDriver(joining)))

  it('holds where the records of an output are those of a diagram', () => {
    driver.input(orders).marbles('a-', { a })
    driver.input(payments).marbles('b----b', { b })
    expect(driver.output(out)).toBeMarbles('--b', { b: { key: 'k', value: 'a+b' } })
  })

  it('says what came at another time', () => {
    driver.input(orders).marbles('a-', { a })
    driver.input(payments).marbles('b', { b })
    const compare = (): void => expect(driver.output(out)).toBeMarbles('---b', { b: { value: 'a+b' } })
    expect(compare).toThrow('timestamp 3')
  })

  it('reads what it compares', () => {
    driver.input(orders).marbles('a', { a })
    expect(driver.output(out)).toBeMarbles('-', {})
    driver.input(payments).marbles('b', { b })
    expect(driver.output(out)).not.toBeMarbles('-', {})
    expect(driver.output(out)).toBeMarbles('', {})
  })
})
