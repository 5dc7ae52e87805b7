import { describe, expect, it } from 'vitest'
import type { Copy, Count, Outcome } from './outcome.ts'
import { problemsAtLeastOnce, problemsExactlyOnce, repeatedCopies } from './outcome.ts'

/** Four events of two words in two partitions, each copied and counted once. */
const words = ['a', 'b', 'a', 'a']
const copy = (event: number, partition = event % 2): Copy => ({
  ...{ event, word: words[event] as string, partition },
  ...{ pid: 1, writtenMs: 0, appendedMs: 0 },
})
const count = (word: string, value: number): Count => ({
  word,
  count: value,
  pid: 1,
  partition: 0,
  appendedMs: 0,
})

const sound: Outcome = {
  words,
  copies: [copy(0), copy(2), copy(1), copy(3)],
  counts: [count('a', 1), count('b', 1), count('a', 2), count('a', 3)],
}

describe('the verdict on a chaos run', () => {
  it('finds nothing in an undisturbed one', () => {
    expect(problemsExactlyOnce(sound)).toEqual([])
    expect(problemsAtLeastOnce(sound)).toEqual([])
  })

  it.each<[string, Partial<Outcome>, string]>([
    ['a missing copy', { copies: [copy(0), copy(2), copy(1)] }, '1 events have no copy: e3'],
    [
      'a repeated copy',
      { copies: [...sound.copies, copy(3)] },
      'copies of partition 1 repeat or go back 1 times: e3 after e3',
    ],
    [
      'copies in another order',
      { copies: [copy(2), copy(0), copy(1), copy(3)] },
      'copies of partition 0 repeat or go back 1 times: e0 after e2',
    ],
    ['a count left out', { counts: [count('a', 1), count('b', 1), count('a', 3)] }, 'a: count 3 follows 1'],
    ['a count told twice', { counts: [...sound.counts, count('b', 1)] }, 'b: count 1 follows 1'],
    [
      'a word that is not counted to the end',
      { counts: sound.counts.slice(0, 3) },
      'a was counted up to 2 of 3',
    ],
  ])('finds %s under exactly-once', (_what, planted, problem) => {
    expect(problemsExactlyOnce({ ...sound, ...planted })).toEqual([problem])
  })

  it('lets repetitions pass under at-least-once, and says how many', () => {
    const repeated = {
      ...sound,
      copies: [...sound.copies, copy(3)],
      counts: [...sound.counts, count('a', 4)],
    }
    expect(problemsAtLeastOnce(repeated)).toEqual([])
    expect(repeatedCopies(repeated)).toBe(1)
  })

  it('finds what is missing under at-least-once', () => {
    expect(problemsAtLeastOnce({ ...sound, copies: sound.copies.slice(1) })).toEqual([
      '1 events have no copy: e0',
    ])
    expect(problemsAtLeastOnce({ ...sound, counts: sound.counts.slice(0, 3) })).toEqual([
      'a was counted up to 2 of 3',
    ])
  })
})
