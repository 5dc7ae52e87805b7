/**
 * One difference between two versions of a topology. `compatible` may be deployed over a running application as it is;
 * `breaking` loses, strands or misreads something unless its remedy is followed.
 */
export interface TopologyDifference {
  readonly effect: 'compatible' | 'breaking'
  /** Stable, machine-readable: `UPPER_SNAKE_CASE`. */
  readonly code: string
  /** The store, topic or step it is about. */
  readonly subject: string
  /** What has changed and what follows from it, in a sentence without a final stop. */
  readonly message: string
  /** What to do, in a sentence without a final stop; undefined where there is nothing to do. */
  readonly remedy?: string | undefined
}

export const compatible = (code: string, subject: string, message: string): TopologyDifference => ({
  effect: 'compatible',
  code,
  subject,
  message,
})

export const breaking = (
  code: string,
  subject: string,
  message: string,
  remedy: string,
): TopologyDifference => ({ effect: 'breaking', code, subject, message, remedy })

/** What was taken away, what came, and what stayed (before and after), by a key. */
export interface Comparison<T> {
  readonly removed: readonly T[]
  readonly added: readonly T[]
  readonly kept: readonly (readonly [before: T, after: T])[]
}

export const compareBy = <T>(
  keyOf: (item: T) => string,
  before: readonly T[],
  after: readonly T[],
): Comparison<T> => {
  const known = new Map(before.map((item) => [keyOf(item), item]))
  const now = new Map(after.map((item) => [keyOf(item), item]))
  const pairs = [...now].map(([key, item]) => [known.get(key), item] as const)
  return {
    removed: [...known].filter(([key]) => !now.has(key)).map(([, item]) => item),
    added: pairs.filter(([old]) => old === undefined).map(([, item]) => item),
    kept: pairs.filter((pair): pair is readonly [T & {}, T] => pair[0] !== undefined),
  }
}

/** Pairs what was removed with what was added and is alike: most likely the same thing under another name. */
export const pairRenamed = <T>(
  { removed, added, kept }: Comparison<T>,
  alike: (before: T, after: T) => boolean,
): Comparison<T> & { readonly renamed: Comparison<T>['kept'] } => {
  const left = [...added]
  const renamed: (readonly [T, T])[] = []
  const gone = removed.filter((item) => {
    const at = left.findIndex((candidate) => alike(item, candidate))
    if (at < 0) return true
    renamed.push([item, ...left.splice(at, 1)] as unknown as readonly [T, T])
    return false
  })
  return { removed: gone, added: left, kept, renamed }
}
