import type { PeerOptions, PeerResult } from './peer-options.ts'

/** Time and CPU of this process between the first record and the end, for a peer that runs on Node. */
export interface Measurement {
  /** Called at the first record. */
  begin(): void
  /** Called when the last record is committed. */
  end(peer: { readonly name: string; readonly version: string }, outputEndOffset: number): PeerResult
}

export const measurement = ({
  workload,
  guarantee,
  tuned,
  commitIntervalMs,
  records,
}: PeerOptions): Measurement => {
  let begunMs = 0
  let cpuMicrosBefore = 0
  return {
    begin: () => {
      begunMs = performance.now()
      cpuMicrosBefore = cpuMicros()
    },
    end: ({ name, version }, outputEndOffset) => {
      const seconds = (performance.now() - begunMs) / 1000
      return {
        peer: name,
        version,
        workload,
        guarantee,
        tuned,
        commitIntervalMs,
        records,
        outputEndOffset,
        seconds: round(seconds),
        recordsPerSecond: Math.round(records / seconds),
        cpuMicrosPerRecord: round((cpuMicros() - cpuMicrosBefore) / records),
        cpuMicrosPerRecordWithStartUp: round(cpuMicros() / records),
        peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
      }
    },
  }
}

const cpuMicros = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}

const round = (value: number): number => Math.round(value * 1000) / 1000
