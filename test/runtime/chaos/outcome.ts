/**
 * What the runs have made, as a reader of committed records saw it, and what is wrong with it. Pure, so that a planted
 * fault shows that it would be found.
 */
export interface Copy {
  /** `n` of the event `e<n>`. */
  readonly event: number
  readonly word: string
  readonly pid: number
  readonly partition: number
  /** When the event was written, and when the broker took the copy. */
  readonly writtenMs: number
  readonly appendedMs: number
}

export interface Count {
  readonly word: string
  readonly count: number
  readonly pid: number
  readonly partition: number
  readonly appendedMs: number
}

export interface Outcome {
  /** The word of each event that was written. */
  readonly words: readonly string[]
  /** In the order of the topic, partition by partition. */
  readonly copies: readonly Copy[]
  readonly counts: readonly Count[]
}

/** Under exactly-once: each event is copied once and in order, and each count of each word is told once and in order. */
export const problemsExactlyOnce = (outcome: Outcome): readonly string[] => [
  ...missingEvents(outcome),
  ...copiesOutOfOrder(outcome.copies),
  ...countsOutOfOrder(outcome),
]

/** Under at-least-once: each event is copied, and the last count of each word misses none. */
export const problemsAtLeastOnce = (outcome: Outcome): readonly string[] => [
  ...missingEvents(outcome),
  ...Array.from(expectedCounts(outcome.words)).flatMap(([word, expected]) => {
    const last = outcome.counts.findLast((each) => each.word === word)?.count ?? 0
    return last >= expected ? [] : [`${word} was counted up to ${last} of ${expected}`]
  }),
]

/** How many events were processed more than once, as their copies tell. */
export const repeatedCopies = ({ copies }: Outcome): number =>
  copies.length - new Set(copies.map(({ event }) => event)).size

export const expectedCounts = (words: readonly string[]): ReadonlyMap<string, number> => {
  const expected = new Map<string, number>()
  for (const word of words) expected.set(word, (expected.get(word) ?? 0) + 1)
  return expected
}

const missingEvents = ({ words, copies }: Outcome): readonly string[] => {
  const copied = new Set(copies.map(({ event }) => event))
  const missing = words.flatMap((_, event) => (copied.has(event) ? [] : [`e${event}`]))
  return missing.length === 0 ? [] : [`${missing.length} events have no copy: ${some(missing)}`]
}

const copiesOutOfOrder = (copies: readonly Copy[]): readonly string[] =>
  Array.from(Map.groupBy(copies, ({ partition }) => partition)).flatMap(([partition, list]) => {
    const wrong = list.flatMap(({ event }, index) => {
      const before = list[index - 1]?.event ?? -1
      return event > before ? [] : [`e${event} after e${before}`]
    })
    return wrong.length === 0
      ? []
      : [`copies of partition ${partition} repeat or go back ${wrong.length} times: ${some(wrong)}`]
  })

const countsOutOfOrder = ({ words, counts }: Outcome): readonly string[] => {
  const byWord = Map.groupBy(counts, ({ word }) => word)
  return Array.from(expectedCounts(words)).flatMap(([word, expected]) => {
    const told = (byWord.get(word) ?? []).map(({ count }) => count)
    const wrong = told.findIndex((count, index) => count !== index + 1)
    if (wrong >= 0) return [`${word}: count ${told[wrong]} follows ${told[wrong - 1] ?? 'nothing'}`]
    return told.length === expected ? [] : [`${word} was counted up to ${told.length} of ${expected}`]
  })
}

const some = (list: readonly string[]): string =>
  list.length <= 5 ? list.join(', ') : `${list.slice(0, 5).join(', ')} …`
