import type { PeerResult } from './peer-options.ts'

/** Time and CPU of this process from the first record to the end, and of each half, for what runs on Node. */
export interface Measurement {
  /**
   * Takes how many records are processed so far. The first call starts the clock; the first call at half of the records or
   * later ends the cold half and starts the warm one.
   */
  processed(records: number): void
  /** Called when the last record is committed. */
  end(peer: { readonly name: string; readonly version: string }): PeerResult
}

/** What a process has used at one moment. */
export interface Usage {
  readonly ms: number
  readonly cpuMicros: number
}

interface Mark extends Usage {
  readonly records: number
}

/** `records` are all those processed, of every input. */
export const measurement = (records: number, usage: () => Usage = usageOfProcess): Measurement => {
  let first: Mark | undefined
  let half: Mark | undefined
  return {
    processed: (count) => {
      first ??= { records: count, ...usage() }
      if (half === undefined && count >= records / 2 && count > first.records)
        half = { records: count, ...usage() }
    },
    end: ({ name, version }) => {
      const last = { records, ...usage() }
      const seconds = (last.ms - (first?.ms ?? 0)) / 1000
      return {
        peer: name,
        version,
        seconds: round(seconds),
        recordsPerSecond: Math.round(records / seconds),
        cpuMicrosPerRecord: round((last.cpuMicros - (first?.cpuMicros ?? 0)) / records),
        cpuMicrosPerRecordWithStartUp: round(last.cpuMicros / records),
        ...(first === undefined || half === undefined ? {} : halves(first, half, last)),
        peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
      }
    },
  }
}

/** A poll may see many records at once, so each half counts the records between its own two marks. */
const halves = (first: Mark, half: Mark, last: Mark): Partial<PeerResult> => ({
  coldRecordsPerSecond: rateBetween(first, half),
  coldCpuMicrosPerRecord: cpuBetween(first, half),
  warmRecordsPerSecond: rateBetween(half, last),
  warmCpuMicrosPerRecord: cpuBetween(half, last),
})

const rateBetween = (from: Mark, to: Mark): number =>
  Math.round(((to.records - from.records) / (to.ms - from.ms)) * 1000)

const cpuBetween = (from: Mark, to: Mark): number =>
  round((to.cpuMicros - from.cpuMicros) / (to.records - from.records))

/**
 * What this process takes of one core over some seconds, once it has settled: code that ran at the start is compiled
 * and collected first.
 */
export const measureQuiet = async (peer: {
  readonly name: string
  readonly version: string
}): Promise<PeerResult> => {
  await seconds(settleSeconds)
  const [startMs, before] = [performance.now(), cpuMicros()]
  await seconds(quietSeconds)
  const elapsed = (performance.now() - startMs) / 1000
  return {
    peer: peer.name,
    version: peer.version,
    seconds: round(elapsed),
    recordsPerSecond: 0,
    cpuMicrosPerRecord: 0,
    cpuMicrosPerRecordWithStartUp: 0,
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    percentOfCore: round((cpuMicros() - before) / 1e4 / elapsed),
  }
}

/** The peers on other platforms keep to the same times. */
const settleSeconds = 5
const quietSeconds = 10

const seconds = (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, count * 1000))

const cpuMicros = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}

const usageOfProcess = (): Usage => ({ ms: performance.now(), cpuMicros: cpuMicros() })

const round = (value: number): number => Math.round(value * 1000) / 1000
