import { median } from './median.ts'
import type { Latency } from './latency.ts'
import type { PeerResult } from './peers/peer-options.ts'
import type { Guarantee, Workload } from './peers/workloads.ts'
import { isPaced, isQuiet } from './peers/workloads.ts'
import { tableOf } from './table.ts'

/** What one peer did at one workload. */
export interface Row extends PeerResult, Partial<Latency> {
  readonly workload: Workload
  readonly guarantee: Guarantee
  readonly outputRecords: number
}

/** The medians of several runs of the same, number by number. */
export const medianOf = (rows: readonly Row[]): Row => {
  const [first] = rows
  if (first === undefined) throw new Error('no runs to take the median of')
  const numbers = Object.entries(first).filter(([, value]) => typeof value === 'number')
  const medians = numbers.map(([name]) => [name, median(rows.map((row) => row[name as 'seconds']))] as const)
  return { ...first, ...Object.fromEntries(medians) }
}

/** The table of all workloads; ratios are against Kafka Streams at the same workload in the same run. */
export const tableOfRows = (rows: readonly Row[]): string =>
  tableOf(
    ['workload', 'guarantee', 'peer', 'records/s', 'ratio', 'µs CPU/record', 'ratio', 'peak RSS MB', 'more'],
    rows.map((row) => {
      const anchor = rows.find(
        ({ peer, workload, guarantee }) =>
          peer === 'kafka-streams' && workload === row.workload && guarantee === row.guarantee,
      )
      return [
        row.workload,
        row.guarantee,
        row.peer,
        ...(isPaced(row.workload)
          ? ['-', '-']
          : [
              `${Math.round(row.recordsPerSecond / 1000)} k`,
              ratio(row.recordsPerSecond, anchor?.recordsPerSecond),
            ]),
        ...(isQuiet(row.workload)
          ? ['-', ratio(row.percentOfCore ?? 0, anchor?.percentOfCore)]
          : [row.cpuMicrosPerRecord.toFixed(2), ratio(row.cpuMicrosPerRecord, anchor?.cpuMicrosPerRecord)]),
        String(row.peakRssMb),
        moreOf(row),
      ]
    }),
  )

const ratio = (own: number, anchor: number | undefined): string =>
  anchor === undefined ? '-' : (own / anchor).toFixed(2)

const moreOf = ({ p50Ms, p95Ms, p99Ms, restoreSeconds, restartSeconds, percentOfCore }: Row): string => {
  if (percentOfCore !== undefined) return `${percentOfCore.toFixed(1)} % of a core`
  if (p50Ms !== undefined)
    return `p50/p95/p99 ${[p50Ms, p95Ms ?? 0, p99Ms ?? 0].map(Math.round).join('/')} ms`
  if (restoreSeconds === undefined || restartSeconds === undefined) return ''
  return `restored in ${restoreSeconds.toFixed(2)} s, first record after ${restartSeconds.toFixed(2)} s`
}
