import type { PeerResult } from './peer-options.ts'

/** Time and CPU of this process between the first record and the end, for what runs on Node. */
export interface Measurement {
  /** Called at the first record; later calls change nothing. */
  begin(): void
  /** Called when the last record is committed. */
  end(peer: { readonly name: string; readonly version: string }): PeerResult
}

/** `records` are all those processed, of every input. */
export const measurement = (records: number): Measurement => {
  let begunMs: number | undefined
  let cpuMicrosBefore = 0
  return {
    begin: () => {
      if (begunMs !== undefined) return
      begunMs = performance.now()
      cpuMicrosBefore = cpuMicros()
    },
    end: ({ name, version }) => {
      const seconds = (performance.now() - (begunMs ?? 0)) / 1000
      return {
        peer: name,
        version,
        seconds: round(seconds),
        recordsPerSecond: Math.round(records / seconds),
        cpuMicrosPerRecord: round((cpuMicros() - cpuMicrosBefore) / records),
        cpuMicrosPerRecordWithStartUp: round(cpuMicros() / records),
        peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
      }
    },
  }
}

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

const round = (value: number): number => Math.round(value * 1000) / 1000
