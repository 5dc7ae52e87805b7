/** How long tasks stood still around each disturbance, as their outputs tell. */
export interface Output {
  readonly partition: number
  readonly pid: number
  /** When its input was there. */
  readonly readyMs: number
  /** When the output was there. */
  readonly doneMs: number
}

export interface Standstill {
  readonly disturbance: string
  readonly partition: number
  /** True where another process had the task afterwards. */
  readonly moved: boolean
  /** The longest time in which an input waited and nothing came out. */
  readonly longestMs: number
}

export interface Disturbance {
  readonly what: string
  readonly atMs: number
}

/** For each disturbance and task: the longest standstill until the next disturbance. */
export const standstills = (
  outputs: readonly Output[],
  disturbances: readonly Disturbance[],
): readonly Standstill[] => {
  const byPartition = [...Map.groupBy(outputs, ({ partition }) => partition)].toSorted(([a], [b]) => a - b)
  return disturbances.flatMap(({ what, atMs }, index) => {
    const untilMs = disturbances[index + 1]?.atMs ?? Infinity
    return byPartition.flatMap(([partition, list]) => {
      const standstill = longestBetween(list, atMs, untilMs)
      return standstill === undefined ? [] : [{ disturbance: what, partition, ...standstill }]
    })
  })
}

/** Waits that end in the interval count to it; a task moved where the process changed. */
const longestBetween = (
  outputs: readonly Output[],
  fromMs: number,
  untilMs: number,
): Pick<Standstill, 'moved' | 'longestMs'> | undefined => {
  let moved = false
  let longestMs = 0
  let seen = false
  for (let index = 1; index < outputs.length; index++) {
    const before = outputs[index - 1] as Output
    const each = outputs[index] as Output
    if (each.doneMs < fromMs || each.doneMs >= untilMs) continue
    seen = true
    moved ||= each.pid !== before.pid
    longestMs = Math.max(longestMs, each.doneMs - Math.max(before.doneMs, each.readyMs))
  }
  return seen ? { moved, longestMs } : undefined
}

/** The largest and the middle one; undefined of nothing. */
export const summaryOf = (
  values: readonly number[],
): { readonly max: number; readonly p50: number; readonly count: number } | undefined => {
  if (values.length === 0) return undefined
  const sorted = values.toSorted((a, b) => a - b)
  return {
    max: sorted.at(-1) as number,
    p50: sorted[Math.floor((sorted.length - 1) / 2)] as number,
    count: sorted.length,
  }
}
