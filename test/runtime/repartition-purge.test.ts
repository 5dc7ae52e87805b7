import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { RepartitionPurge } from '../../src/runtime/repartition-purge.ts'

type Before = readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]

describe('a purge of repartition topics', () => {
  const purging = (answer: () => Promise<void> = () => Promise.resolve()) => {
    const clock = new ManualClock()
    const calls: Before[] = []
    const warnings: string[] = []
    const purge = new RepartitionPurge({
      clock,
      intervalMs: 1_000,
      topics: new Set(['own']),
      deleteRecords: (before) => {
        calls.push(before)
        return answer()
      },
      onWarning: (message) => warnings.push(message),
    })
    return { clock, calls, warnings, purge }
  }
  const at = (offset: number, topic = 'own') => ({ topic, partition: 0, offset })
  const settled = () => new Promise((resolve) => setImmediate(resolve))

  it('deletes up to the last commit once the interval has passed, and never of topics that are not its own', async () => {
    const { clock, calls, purge } = purging()
    purge.committed([at(3), at(9, 'orders')])
    expect(calls).toEqual([])
    clock.advance(1_000)
    purge.committed([at(5)])
    expect(calls).toEqual([[at(5)]])
    await settled()
    clock.advance(1_000)
    purge.committed([at(12, 'orders')])
    expect(calls).toHaveLength(1)
  })

  it('has one request under way at a time', async () => {
    let finish = (): void => {}
    const { clock, calls, purge } = purging(() => new Promise((resolve) => (finish = resolve)))
    clock.advance(1_000)
    purge.committed([at(5)])
    clock.advance(1_000)
    purge.committed([at(7)])
    expect(calls).toEqual([[at(5)]])
    finish()
    await settled()
    purge.committed([])
    expect(calls).toEqual([[at(5)], [at(7)]])
  })

  it('warns when it fails, and makes up for it the next time', async () => {
    let fails = true
    const { clock, calls, warnings, purge } = purging(() =>
      fails ? Promise.reject(new Error('not now')) : Promise.resolve(),
    )
    clock.advance(1_000)
    purge.committed([at(5)])
    await settled()
    expect(warnings).toEqual(['repartition topics could not be purged: not now'])
    fails = false
    clock.advance(1_000)
    purge.committed([])
    expect(calls).toEqual([[at(5)], [at(5)]])
  })

  it('keeps silent about a purge that the end of the application cut off', async () => {
    const { clock, warnings, purge } = purging(() => Promise.reject(new Error('connection closed')))
    clock.advance(1_000)
    purge.committed([at(5)])
    purge.close()
    await settled()
    expect(warnings).toEqual([])
  })
})
