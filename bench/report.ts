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

/** Rate and CPU of a run, or of one half of it. */
interface Figures {
  readonly recordsPerSecond: number
  readonly cpuMicrosPerRecord: number
}

/**
 * The table of all workloads; ratios are against Kafka Streams at the same workload in the same run. With `warm`, the first
 * figures are those of the second half of a run, and those of the first half, from its first record on, are beside them.
 */
export const tableOfRows = (rows: readonly Row[], { warm = false } = {}): string =>
  tableOf(
    [...figureTitles, ...(warm ? coldTitles : []), 'peak RSS MB', 'more'],
    rows.map((row) => {
      const anchor = rows.find(
        ({ peer, workload, guarantee }) =>
          peer === 'kafka-streams' && workload === row.workload && guarantee === row.guarantee,
      )
      return [
        row.workload,
        row.guarantee,
        row.peer,
        ...(warm && warmOf(row) !== undefined
          ? ratedCells(warmOf(row), warmOf(anchor))
          : wholeCells(row, anchor)),
        ...(warm ? ratedCells(coldOf(row), coldOf(anchor)) : []),
        String(row.peakRssMb),
        moreOf(row),
      ]
    }),
  )

const figureTitles = ['workload', 'guarantee', 'peer', 'records/s', 'ratio', 'µs CPU/record', 'ratio']
const coldTitles = ['cold records/s', 'ratio', 'cold µs CPU/record', 'ratio']

/** The figures from the first record on, or what a workload at a pace has in their place. */
const wholeCells = (row: Row, anchor: Row | undefined): readonly string[] => {
  const [rate, rateRatio, cpu, cpuRatio] = ratedCells(row, anchor)
  return [
    ...(isPaced(row.workload) ? ['-', '-'] : [rate, rateRatio]),
    ...(isQuiet(row.workload)
      ? ['-', ratio(row.percentOfCore ?? 0, anchor?.percentOfCore)]
      : [cpu, cpuRatio]),
  ]
}

const ratedCells = (
  own: Figures | undefined,
  anchor: Figures | undefined,
): readonly [string, string, string, string] =>
  own === undefined
    ? ['-', '-', '-', '-']
    : [
        `${Math.round(own.recordsPerSecond / 1000)} k`,
        ratio(own.recordsPerSecond, anchor?.recordsPerSecond),
        own.cpuMicrosPerRecord.toFixed(2),
        ratio(own.cpuMicrosPerRecord, anchor?.cpuMicrosPerRecord),
      ]

/** The second half of a run at full speed. */
const warmOf = (row: Row | undefined): Figures | undefined =>
  row === undefined || isPaced(row.workload)
    ? undefined
    : figuresOf(row.warmRecordsPerSecond, row.warmCpuMicrosPerRecord)

/** The first half of a run at full speed. */
const coldOf = (row: Row | undefined): Figures | undefined =>
  row === undefined || isPaced(row.workload)
    ? undefined
    : figuresOf(row.coldRecordsPerSecond, row.coldCpuMicrosPerRecord)

const figuresOf = (
  recordsPerSecond: number | undefined,
  cpuMicrosPerRecord: number | undefined,
): Figures | undefined =>
  recordsPerSecond === undefined || cpuMicrosPerRecord === undefined
    ? undefined
    : { recordsPerSecond, cpuMicrosPerRecord }

const ratio = (own: number, anchor: number | undefined): string =>
  anchor === undefined ? '-' : (own / anchor).toFixed(2)

const moreOf = ({ p50Ms, p95Ms, p99Ms, restoreSeconds, restartSeconds, percentOfCore }: Row): string => {
  if (percentOfCore !== undefined) return `${percentOfCore.toFixed(1)} % of a core`
  if (p50Ms !== undefined)
    return `p50/p95/p99 ${[p50Ms, p95Ms ?? 0, p99Ms ?? 0].map(Math.round).join('/')} ms`
  if (restoreSeconds === undefined || restartSeconds === undefined) return ''
  return `restored in ${restoreSeconds.toFixed(2)} s, first record after ${restartSeconds.toFixed(2)} s`
}
