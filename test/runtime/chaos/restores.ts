import type { RestoreTelling, TimedTelling } from './telling.ts'

/** What the processes of one place in the group found of their state, and what of it is wrong. */
export interface RestoreFindings {
  readonly problems: readonly string[]
  /** Stores that were opened with something to find on disk, and how many records these lacked. */
  readonly found: number
  readonly restoredRecords: number
  /** What would have been restored had nothing been found. */
  readonly recordsOfWiped: number
}

/**
 * A restoration is on disk when it is over, so whoever opens the store in that place again finds at least as much: one
 * that begins before the end of an earlier one was wiped.
 */
export const restoreFindings = (place: string, tellings: readonly TimedTelling[]): RestoreFindings => {
  const problems: string[] = []
  const atLeast = new Map<string, number>()
  let found = 0
  let restoredRecords = 0
  let recordsOfWiped = 0
  for (const telling of tellings) {
    if (telling.kind === 'warning' && telling.message.includes('is damaged'))
      problems.push(`${place}: ${telling.message}`)
    if (telling.kind !== 'restore') continue
    const { store, partition, startingOffset } = telling
    const name = `${store} ${partition}`
    const least = atLeast.get(name) ?? 0
    if (startingOffset < least)
      problems.push(`${place} restored ${name} from ${startingOffset}, but had it up to ${least}`)
    atLeast.set(name, Math.max(least, onDiskAfter(telling)))
    if (telling.remainingRecords > 0) continue
    if (startingOffset > 0) found++
    restoredRecords += telling.restoredRecords
    recordsOfWiped += telling.endingOffset
  }
  return { problems, found, restoredRecords, recordsOfWiped }
}

/** Every restored record has an offset of its own. */
const onDiskAfter = ({ startingOffset, restoredRecords }: RestoreTelling): number =>
  startingOffset + restoredRecords
