/** The middle of what was measured; of an even number the lower of the two middles, so that it is one that was. */
export const median = (values: readonly number[]): number =>
  values.toSorted((left, right) => left - right)[(values.length - 1) >> 1] ?? Number.NaN
