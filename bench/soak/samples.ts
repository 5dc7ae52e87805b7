/** What a soak run looks at in the application's process, every few seconds, and what it makes of it. */
export interface Sample {
  readonly atMs: number
  readonly rssMb: number
  readonly heapUsedMb: number
  /** What the heap has of the system's memory, in use or not. */
  readonly heapTotalMb: number
  /** Buffers outside the heap. */
  readonly externalMb: number
  /** Handles and requests that keep the process alive, by type. */
  readonly resources: Readonly<Record<string, number>>
  /** On the process and on its sockets. */
  readonly listeners: number
  readonly eventLoopDelayP99Ms: number
  readonly processedRecords: number
  /** Warnings of Node itself: one of them tells of too many listeners. */
  readonly nodeWarnings: number
}

/**
 * What a process told within an interval, `last` included, as one sample. A moment's memory depends on where the collector is between two
 * of its rounds, which is tens of megabytes; the mean over many moments does not.
 */
export const sampleOver = (samples: readonly Sample[], last: Sample): Sample => {
  const mean = (valueOf: (sample: Sample) => number): number =>
    Math.round(meanOf(samples.map(valueOf)) * 10) / 10
  return {
    ...last,
    rssMb: mean(({ rssMb }) => rssMb),
    heapUsedMb: mean(({ heapUsedMb }) => heapUsedMb),
    heapTotalMb: mean(({ heapTotalMb }) => heapTotalMb),
    externalMb: mean(({ externalMb }) => externalMb),
    eventLoopDelayP99Ms: Math.max(...samples.map(({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms)),
  }
}

/** Growth beyond these is a leak. Connections come and go a little, and so does what they listen to. */
export const bounds = { rssMbPerMinute: 2, resources: 5, listeners: 20 }

/** Without the first minutes: code is compiled there, caches fill and the collector finds its measure. */
export const settledAfter = (samples: readonly Sample[], minutes: number): readonly Sample[] =>
  samples.filter(({ atMs }) => atMs >= (samples[0]?.atMs ?? 0) + minutes * 60_000)

/** The growth of a value per minute, by least squares. */
export const slopePerMinute = (samples: readonly Sample[], valueOf: (sample: Sample) => number): number => {
  const minutes = samples.map(({ atMs }) => atMs / 60_000)
  const values = samples.map(valueOf)
  const [middleX, middleY] = [meanOf(minutes), meanOf(values)]
  let products = 0
  let squares = 0
  for (const [index, minute] of minutes.entries()) {
    products += (minute - middleX) * ((values[index] as number) - middleY)
    squares += (minute - middleX) ** 2
  }
  return squares === 0 ? 0 : products / squares
}

/** What grew beyond its bound, in words; nothing where all is well. */
export const leaksIn = (samples: readonly Sample[]): readonly string[] => {
  if (samples.length < 3) return ['there are too few samples to tell anything']
  const rss = slopePerMinute(samples, ({ rssMb }) => rssMb)
  const resources = growthOf(samples, resourceCount)
  const listeners = growthOf(samples, (sample) => sample.listeners)
  const warnings = samples.at(-1)?.nodeWarnings ?? 0
  return [
    ...(rss > bounds.rssMbPerMinute
      ? [`resident memory grows by ${rss.toFixed(2)} MB a minute (bound ${bounds.rssMbPerMinute})`]
      : []),
    ...(resources > bounds.resources
      ? [`active resources grew by ${resources} (bound ${bounds.resources})`]
      : []),
    ...(listeners > bounds.listeners ? [`listeners grew by ${listeners} (bound ${bounds.listeners})`] : []),
    ...(warnings > 0 ? [`Node warned ${warnings} times`] : []),
  ]
}

export const resourceCount = ({ resources }: Sample): number =>
  Object.values(resources).reduce((sum, count) => sum + count, 0)

/** From the middle of the first third to that of the last: a single sample may catch a moment. */
const growthOf = (samples: readonly Sample[], valueOf: (sample: Sample) => number): number => {
  const third = Math.max(1, Math.floor(samples.length / 3))
  return medianOf(samples.slice(-third).map(valueOf)) - medianOf(samples.slice(0, third).map(valueOf))
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

const medianOf = (values: readonly number[]): number =>
  values.toSorted((left, right) => left - right)[Math.floor((values.length - 1) / 2)] ?? 0
