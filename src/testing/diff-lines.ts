/** How each side of a difference is written. */
export interface Shown<E, R> {
  readonly expected: (each: E) => string
  readonly received: (each: R) => string
}

export interface ListDifference {
  readonly equal: boolean
  /** What is on both sides as it is, with `-` what is missing, with `+` what came instead. */
  readonly lines: readonly string[]
}

/** Compares two lists in order, keeping the longest common part, so that one missing record does not shift the rest. */
export const diffOf = <E, R>(
  expected: readonly E[],
  received: readonly R[],
  same: (expected: E, received: R) => boolean,
  shown: Shown<E, R>,
): ListDifference => {
  const common = commonLengths(expected, received, same)
  const lines: string[] = []
  let equal = true
  let [at, on] = [0, 0]
  while (at < expected.length || on < received.length) {
    const wanted = expected[at] as E
    const came = received[on] as R
    if (at < expected.length && on < received.length && same(wanted, came)) {
      lines.push(`  ${shown.received(came)}`)
      at++
      on++
      continue
    }
    equal = false
    if (at < expected.length && lengthAt(common, at + 1, on) >= lengthAt(common, at, on + 1))
      lines.push(`- ${shown.expected(expected[at++] as E)}`)
    else if (on < received.length) lines.push(`+ ${shown.received(received[on++] as R)}`)
    else lines.push(`- ${shown.expected(expected[at++] as E)}`)
  }
  return { equal, lines }
}

type Lengths = readonly (readonly number[])[]

const lengthAt = (common: Lengths, at: number, on: number): number => common[at]?.[on] ?? -1

/** For each pair of positions, how long the longest common part of the rests is. */
const commonLengths = <E, R>(
  expected: readonly E[],
  received: readonly R[],
  same: (expected: E, received: R) => boolean,
): Lengths => {
  const common = Array.from({ length: expected.length + 1 }, () =>
    Array.from({ length: received.length + 1 }, () => 0),
  )
  for (let at = expected.length - 1; at >= 0; at--)
    for (let on = received.length - 1; on >= 0; on--)
      (common[at] as number[])[on] = same(expected[at] as E, received[on] as R)
        ? lengthAt(common, at + 1, on + 1) + 1
        : Math.max(lengthAt(common, at + 1, on), lengthAt(common, at, on + 1))
  return common
}
