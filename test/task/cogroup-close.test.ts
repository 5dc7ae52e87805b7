import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CogroupedStream, Topology, Windowed } from '../../src/index.ts'
import { session, sliding, string, topic, topology, tumbling } from '../../src/index.ts'
import { testDriver } from '../../src/testing/test-driver.ts'
import { LoneTask } from '../support/lone-task.ts'

const [left, right, out] = ['left', 'right', 'out'].map((name) => topic(name, { value: string })) as [
  ReturnType<typeof text>,
  ReturnType<typeof text>,
  ReturnType<typeof text>,
]
const text = (name: string) => topic(name, { value: string })

const shown = ({ key, startMs, endMs }: Windowed<string>): string => `${key}@${startMs}-${endMs}`
const joined = (cogrouped: CogroupedStream<string, string>, kind: string) => {
  const options = {
    store: 'joined',
    initial: '',
    value: string,
    emit: 'onWindowClose',
  } as const
  if (kind === 'tumbling') return cogrouped.windowedBy(tumbling({ size: 10 })).aggregate(options)
  if (kind === 'sliding') return cogrouped.windowedBy(sliding({ difference: 10 })).aggregate(options)
  return cogrouped
    .windowedBy(session({ gap: 10 }))
    .aggregate({ ...options, merge: (one: string, other: string) => one + other })
}
const cogrouping = (kind: string): Topology =>
  topology('cogrouping', (builder) => {
    const cogrouped = builder
      .stream(left)
      .groupByKey()
      .cogroup<string>((sum, value) => sum + value)
      .cogroup(builder.stream(right).groupByKey(), (sum, value) => sum + value)
    joined(cogrouped, kind)
      .toStream()
      .map(({ key, value }) => ({ key: shown(key), value }), { key: string, value: string })
      .to(out)
  })

describe('a cogroup that emits when a window closes', () => {
  it('waits for its slowest input, and counts what comes later', () => {
    const driver = testDriver(cogrouping('tumbling'))
    const pipe = (to: typeof left, value: string, timestamp: number): readonly unknown[] => {
      driver.input(to).pipe('k', value, { timestamp })
      return driver.output(out).readKeyValues()
    }
    expect(pipe(left, 'a1', 5)).toEqual([])
    expect(pipe(right, 'b1', 6)).toEqual([])
    expect(pipe(left, 'a2', 20)).toEqual([])
    expect(pipe(right, 'b2', 7)).toEqual([])
    expect(pipe(right, 'b3', 25)).toEqual([{ key: 'k@0-10', value: 'a1b1b2' }])
    expect(driver.dropped()).toEqual({})
    expect(pipe(right, 'b4', 8)).toEqual([])
    expect(driver.dropped()).toEqual({ late: 1 })
  })

  it.each(['tumbling', 'sliding', 'session'])(
    'keeps a %s window until its slowest input has passed it, over a gap and a restart',
    (kind) => {
      const lone = new LoneTask(cogrouping(kind))
      lone.pipe(left, 'k', 'a1', { timestamp: 5 })
      lone.pipe(right, 'k', 'b1', { timestamp: 6 })
      lone.pipe(left, 'k', 'a2', { timestamp: 500 })
      lone.restart()
      lone.pipe(left, 'k', 'a3', { timestamp: 1_000 })
      lone.pipe(right, 'k', 'b2', { timestamp: 7 })
      expect(lone.values()).toEqual([])
      lone.pipe(right, 'k', 'b3', { timestamp: 1_000 })
      expect(lone.values()).toContain('a1b1b2')
      expect(lone.dropped).toEqual([])
    },
  )

  it('closes by idle advance where an input has no records', () => {
    const driver = testDriver(cogrouping('tumbling'))
    driver.input(left).pipe('k', 'a1', { timestamp: 5 })
    driver.input(left).pipe('k', 'a2', { timestamp: 100 })
    expect(driver.output(out).readAll()).toEqual([])
    driver.advanceStreamTime(200)
    expect(driver.output(out).readKeyValues()).toEqual([
      { key: 'k@0-10', value: 'a1' },
      { key: 'k@100-110', value: 'a2' },
    ])
  })

  it.each(['tumbling', 'sliding', 'session'])(
    'emits each %s window once, with all that is counted nowhere',
    (kind) => {
      const step = fc.record({
        to: fc.constantFrom(left, right),
        key: fc.constantFrom('k', 'l'),
        timestamp: fc.integer({ min: 0, max: 60 }),
      })
      fc.assert(
        fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
          using driver = testDriver(cogrouping(kind))
          for (const { to, key, timestamp } of steps) driver.input(to).pipe(key, 'x', { timestamp })
          driver.advanceStreamTime(10_000)
          const emitted = driver.output(out).readAll()
          expect(new Set(emitted.map(({ key }) => key)).size).toBe(emitted.length)
          const late = driver.dropped()['late'] ?? 0
          const taken = emitted.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
          // A record lies in several sliding windows, and a session that was emitted may grow into another one.
          if (kind === 'tumbling') expect(taken + late).toBe(steps.length)
        }),
        { numRuns: 150 },
      )
    },
  )
})
