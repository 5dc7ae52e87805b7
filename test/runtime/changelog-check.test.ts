import { describe, expect, it } from 'vitest'
import { problemOf } from '../../src/runtime/changelog-check.ts'
import type { ChangelogNow } from '../../src/runtime/changelogs.ts'
import type { StoredState } from '../../src/state/disk.ts'

const changelog: ChangelogNow = {
  topicId: 'id',
  startOffset: 10,
  endOffset: 20,
  tombstoneRetentionMs: 1_000,
}
const nowMs = 1_000_000
const origin = { topicId: 'id', caughtUpMs: nowMs - 1_000 }

describe('stored state can be continued', () => {
  it.each<[string, StoredState | undefined, Partial<ChangelogNow>]>([
    ['where there is none', undefined, {}],
    ['where nothing was read yet', { changelogOffset: 0, origin: undefined }, {}],
    ['at the start of its changelog', { changelogOffset: 10, origin }, {}],
    ['at its end', { changelogOffset: 20, origin }, {}],
    ['where the brokers give no ids', { changelogOffset: 20, origin }, { topicId: undefined }],
    ['where they gave none before', { changelogOffset: 20, origin: { ...origin, topicId: undefined } }, {}],
    [
      'however old, where the changelog is not compacted',
      { changelogOffset: 20, origin: { ...origin, caughtUpMs: 0 } },
      { tombstoneRetentionMs: Infinity },
    ],
    [
      'where the clock was set back by a moment',
      { changelogOffset: 20, origin: { ...origin, caughtUpMs: nowMs + 5_000 } },
      {},
    ],
  ])('%s', (_where, stored, now) => {
    expect(problemOf(stored, { ...changelog, ...now }, nowMs)).toBeUndefined()
  })

  it.each<[string, StoredState, string]>([
    [
      'of another topic',
      { changelogOffset: 15, origin: { ...origin, topicId: 'other' } },
      'earlier changelog',
    ],
    ['beyond the end', { changelogOffset: 21, origin }, 'ends at 20'],
    ['in part beyond the end', { changelogOffset: 15, aheadOffset: 21, origin }, 'ends at 20'],
    ['before the start', { changelogOffset: 9, origin }, 'begins at 10'],
    [
      'too old',
      { changelogOffset: 20, origin: { ...origin, caughtUpMs: nowMs - 1_001 } },
      'delete.retention.ms',
    ],
    [
      'from the future',
      { changelogOffset: 20, origin: { ...origin, caughtUpMs: nowMs + 60_001 } },
      'set back',
    ],
    ['of an earlier version', { changelogOffset: 20, origin: undefined }, 'did not note'],
  ])('but not %s', (_which, stored, problem) => {
    expect(problemOf(stored, changelog, nowMs)).toContain(problem)
  })
})
