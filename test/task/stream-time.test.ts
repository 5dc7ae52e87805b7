import { describe, expect, it } from 'vitest'
import { string, topic, topology, tumbling, within } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const left = topic('left', { value: string })
const right = topic('right', { value: string })
const out = topic('out', { value: string })

const leftJoin = topology('left-join', (builder) => {
  builder
    .stream(left)
    .leftJoin(builder.stream(right), (one, other) => `${one}+${other}`, {
      name: 'pairs',
      windows: within(10),
    })
    .to(out)
})

const punctuated = topology('punctuated', (builder) => {
  builder
    .stream(left)
    .process<string, string>((context) => {
      context.schedule(100, 'streamTime', (time) => context.forward({ key: 'tick', value: String(time) }))
      return { process: () => {} }
    })
    .to(out)
})

const finalCounts = topology('final', (builder) => {
  builder
    .stream(left)
    .groupByKey()
    .windowedBy(tumbling({ size: 10 }))
    .count({ store: 'counts', emit: 'onWindowClose' })
    .toStream({ select: ({ key }) => key })
    .mapValues((count) => `${count}`, { value: string })
    .to(out)
})

const values = (driver: ReturnType<typeof testDriver>) =>
  driver
    .output(out)
    .readAll()
    .map(({ value }) => value)

describe('stream time while an input is idle', () => {
  it('stands still unless the author asks for it', () => {
    const driver = testDriver(leftJoin)
    driver.input(left).pipe('a', 'x', { timestamp: 0 })
    driver.advanceWallClock(1_000_000)
    expect(values(driver)).toEqual([])
  })

  it('follows the clock after the idle time, from where the last record left it', () => {
    const driver = testDriver(leftJoin, { idleAdvanceMs: 50, startMs: 1_000 })
    driver.input(left).pipe('a', 'x', { timestamp: 0 })
    driver.advanceWallClock(49)
    expect(values(driver)).toEqual([])
    driver.advanceWallClock(1)
    expect(values(driver)).toEqual(['x+null'])
  })

  it('starts to count again with every record', () => {
    const driver = testDriver(leftJoin, { idleAdvanceMs: 50 })
    driver.input(left).pipe('a', 'x', { timestamp: 0 })
    driver.advanceWallClock(40)
    driver.input(left).pipe('b', 'y', { timestamp: 1 })
    driver.advanceWallClock(40)
    expect(values(driver)).toEqual([])
    driver.advanceWallClock(10)
    expect(values(driver)).toEqual(['x+null', 'y+null'])
  })

  it('does not begin before the first record', () => {
    const driver = testDriver(punctuated, { idleAdvanceMs: 50 })
    driver.advanceWallClock(1_000)
    expect(values(driver)).toEqual([])
  })

  it('runs the punctuators of stream time', () => {
    const driver = testDriver(punctuated, { idleAdvanceMs: 50 })
    driver.input(left).pipe('a', 'x', { timestamp: 30 })
    driver.advanceWallClock(60)
    driver.advanceWallClock(60)
    expect(values(driver)).toEqual(['30', '150'])
  })

  it('closes windows', () => {
    const driver = testDriver(finalCounts, { idleAdvanceMs: 50 })
    driver.input(left).pipe('a', 'x', { timestamp: 3 })
    driver.input(left).pipe('a', 'y', { timestamp: 4 })
    driver.advanceWallClock(50)
    expect(values(driver)).toEqual(['2'])
  })

  it('may be moved by hand, and never goes back', () => {
    const driver = testDriver(leftJoin)
    driver.input(left).pipe('a', 'x', { timestamp: 0 })
    driver.advanceStreamTime(11)
    driver.advanceStreamTime(5)
    expect(values(driver)).toEqual(['x+null'])
    driver.input(left).pipe('a', 'late', { timestamp: 0 })
    expect(values(driver)).toEqual(['late+null'])
  })
})
