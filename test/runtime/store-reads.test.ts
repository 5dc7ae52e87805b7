import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { mostWaitingReads, StoreReads } from '../../src/runtime/store-reads.ts'

const iteration = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const committed = { committed: true }

/** Reads of a store that is clean or not, of which each takes some time. */
const setUp = (): {
  readonly reads: StoreReads
  readonly seen: string[]
  readonly state: { isClean: boolean; name: string }
  readonly take: (ms: number, name?: string) => () => string
  readonly clock: ManualClock
} => {
  const clock = new ManualClock()
  const state = { isClean: true, name: 'clean' }
  const seen: string[] = []
  const take =
    (ms: number, name?: string): (() => string) =>
    () => {
      clock.advance(ms)
      seen.push(name ?? state.name)
      return state.name
    }
  return { reads: new StoreReads(clock, () => state.isClean), seen, state, take, clock }
}

describe('reads of stores', () => {
  it('that may see only what is committed run within the commit, so that nothing comes in between', async () => {
    const { reads, seen, state, take } = setUp()
    await reads.run(take(0), committed)
    Object.assign(state, { isClean: false, name: 'dirty' })
    const late = reads.run(take(0), committed)
    expect(await reads.run(take(0), { committed: false })).toBe('dirty')
    expect(seen).toEqual(['clean', 'dirty'])
    Object.assign(state, { isClean: true, name: 'committed' })
    reads.release()
    Object.assign(state, { isClean: false, name: 'dirty again' })
    expect(await late).toBe('committed')
  })

  it('that fail reject, and those behind them run', async () => {
    const { reads, state } = setUp()
    state.isClean = false
    const bad = reads.run(() => {
      throw new Error('no such row')
    }, committed)
    const good = reads.run(() => 'here', committed)
    state.isClean = true
    reads.release()
    await expect(bad).rejects.toThrow('no such row')
    expect(await good).toBe('here')
  })

  it.each(['committed', 'uncommitted', 'both kinds'])(
    'that are many run in order, a few milliseconds of them in each iteration of the event loop: %s',
    async (kinds) => {
      const { reads, seen, take } = setUp()
      const names = Array.from({ length: 12 }, (_, index) => `${index}`)
      const all = names.map((name, index) =>
        reads.run(take(2, name), {
          committed: kinds === 'both kinds' ? index % 3 > 0 : kinds === 'committed',
        }),
      )
      expect(seen).toEqual(['0', '1', '2'])
      await iteration()
      expect(seen).toEqual(['0', '1', '2', '3', '4', '5'])
      await Promise.all(all)
      expect(seen).toEqual(names)
    },
  )

  it('that are left over by a commit wait for the next one where records came in between', async () => {
    const { reads, seen, state, take } = setUp()
    state.isClean = false
    const all = ['a', 'b', 'c'].map((name) => reads.run(take(5, name), committed))
    state.isClean = true
    reads.release()
    state.isClean = false
    expect(seen).toEqual(['a'])
    await iteration()
    await iteration()
    expect(seen).toEqual(['a'])
    state.isClean = true
    reads.release()
    await Promise.all(all)
    expect(seen).toEqual(['a', 'b', 'c'])
  })

  it('are refused where too many wait, until some are done or have waited too long', async () => {
    const { reads, state, take, clock } = setUp()
    state.isClean = false
    const waiting = Array.from({ length: mostWaitingReads }, () =>
      reads.run(take(0), { committed: true, timeoutMs: 100 }).catch((error: unknown) => error),
    )
    await expect(reads.run(take(0), committed)).rejects.toThrow(
      expect.objectContaining({ code: 'QUERIES_OVERLOADED', actor: 'retry' }),
    )
    clock.advance(101)
    const next = reads.run(take(0), committed)
    expect(await waiting[0]).toMatchObject({ code: 'STORE_NOT_READY' })
    state.isClean = true
    reads.release()
    expect(await next).toBe('clean')
  })

  it('that need preparation get it in slices, while reads that are ready go ahead', async () => {
    const { reads, seen, take, clock } = setUp()
    let left = 12
    const prepare = (isOver: () => boolean): boolean => {
      for (; left > 0 && !isOver(); left--) clock.advance(2)
      return left === 0
    }
    const slow = reads.run(take(0, 'prepared'), { committed: false, prepare })
    const sizes = [left]
    await reads.run(take(0, 'ready'), { committed: false })
    for (let iterations = 0; iterations < 2; iterations++) {
      await iteration()
      sizes.push(left)
    }
    expect(sizes).toEqual([12, 9, 6])
    expect(await slow).toBe('clean')
    expect(seen).toEqual(['ready', 'prepared'])
  })

  it('that cannot be prepared fail as they run', async () => {
    const { reads } = setUp()
    const prepare = (): boolean => {
      throw new Error('closed')
    }
    const bad = (): never => {
      throw new Error('no such store')
    }
    await expect(reads.run(bad, { committed: false, prepare })).rejects.toThrow('no such store')
  })

  it('that do not wait are run in their turn, however much time passes before it', async () => {
    const { reads, seen, take, clock } = setUp()
    const hasty = { committed: false, timeoutMs: 0 }
    const first = reads.run(take(5, 'first'), hasty)
    const second = reads.run(take(1, 'second'), hasty)
    expect(seen).toEqual(['first'])
    clock.advance(20)
    await Promise.all([first, second])
    expect(seen).toEqual(['first', 'second'])
  })

  it('that do not wait are refused where the store holds what is not committed yet', async () => {
    const { reads, seen, state, take } = setUp()
    const hasty = { committed: true, timeoutMs: 0 }
    await reads.run(take(0), hasty)
    state.isClean = false
    await expect(reads.run(take(0), hasty)).rejects.toThrow(
      expect.objectContaining({ code: 'STORE_NOT_READY', actor: 'retry' }),
    )
    state.isClean = true
    reads.release()
    expect(seen).toEqual(['clean'])
  })

  it('that waited longer than their timeout are not run', async () => {
    const { reads, seen, state, take, clock } = setUp()
    state.isClean = false
    const late = reads.run(take(0), { committed: true, timeoutMs: 10 })
    clock.advance(11)
    state.isClean = true
    reads.release()
    await expect(late).rejects.toThrow(expect.objectContaining({ code: 'STORE_NOT_READY' }))
    expect(seen).toEqual([])
  })
})
