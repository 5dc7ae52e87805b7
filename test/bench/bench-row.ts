import type { Row } from '../../bench/report.ts'

/** What a peer did at W1, as far as a test does not care. */
export const benchRow = (peer: string, recordsPerSecond: number, cpuMicrosPerRecord: number): Row => ({
  workload: 'W1',
  guarantee: 'at-least-once',
  outputRecords: 5,
  peer,
  version: '1',
  seconds: 1,
  recordsPerSecond,
  cpuMicrosPerRecord,
  cpuMicrosPerRecordWithStartUp: 9,
  peakRssMb: 100,
})
