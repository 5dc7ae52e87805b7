import { describe, expect, it } from 'vitest'
import type { Sample } from '../../../bench/soak/samples.ts'
import { leaksIn, sampleOver, settledAfter, slopePerMinute } from '../../../bench/soak/samples.ts'

/** A sample every ten seconds of a process that is flat but for what `change` says. */
const samplesOf = (change: (index: number) => Partial<Sample>): readonly Sample[] =>
  Array.from({ length: 60 }, (_, index) => ({
    ...{
      atMs: 1_700_000_000_000 + index * 10_000,
      rssMb: 200,
      heapUsedMb: 50,
      heapTotalMb: 80,
      externalMb: 20,
    },
    ...{ resources: { TCPSocketWrap: 6 }, listeners: 40, eventLoopDelayP99Ms: 12 },
    ...{ processedRecords: index * 1_000_000, nodeWarnings: 0 },
    ...change(index),
  }))

describe('the verdict of a soak run', () => {
  it('finds nothing in a process that grows at the start only', () => {
    const samples = samplesOf((index) => ({ rssMb: index < 12 ? 100 + index * 9 : 200 + (index % 7) }))
    expect(leaksIn(settledAfter(samples, 2))).toEqual([])
    expect(leaksIn(samples)).toHaveLength(1)
  })

  it.each<[string, (index: number) => Partial<Sample>, RegExp]>([
    ['memory that grows', (index) => ({ rssMb: 200 + index * 0.5 }), /memory grows by 3\.00 MB a minute/],
    ['sockets that stay', (index) => ({ resources: { TCPSocketWrap: 6 + index } }), /resources grew by \d+/],
    ['listeners that pile up', (index) => ({ listeners: 40 + index }), /listeners grew by \d+/],
    ['what Node warns of', (index) => ({ nodeWarnings: index > 30 ? 1 : 0 }), /Node warned 1 times/],
  ])('finds %s', (_what, change, problem) => {
    const [found, ...others] = leaksIn(samplesOf(change))
    expect(found).toMatch(problem)
    expect(others).toEqual([])
  })

  it('says so when there is too little to go by', () => {
    expect(leaksIn(samplesOf(() => ({})).slice(0, 2))).toEqual([expect.stringContaining('too few samples')])
  })

  it('goes by means over an interval, where the collector makes a moment say little', () => {
    const moments = samplesOf((index) => ({
      rssMb: 200 + (index % 2) * 50,
      eventLoopDelayP99Ms: index === 3 ? 400 : 12,
    })).slice(0, 20)
    const last = moments.at(-1) as Sample
    expect(sampleOver(moments, last)).toEqual({ ...last, rssMb: 225, eventLoopDelayP99Ms: 400 })
  })

  it('measures by the minute, from the end of settling on', () => {
    const samples = samplesOf((index) => ({ rssMb: index }))
    expect(settledAfter(samples, 2)).toHaveLength(48)
    expect(settledAfter([], 2)).toEqual([])
    expect(slopePerMinute(samples, ({ rssMb }) => rssMb)).toBeCloseTo(6)
  })
})
