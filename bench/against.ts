import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { median } from './median.ts'
import { isPaced, isQuiet } from './peers/workloads.ts'
import type { Row } from './report.ts'
import { medianOf } from './report.ts'
import type { Case, RunPlace } from './run-once.ts'
import { runOnce } from './run-once.ts'
import { tableOf } from './table.ts'
import type { Codec } from './topics.ts'

/**
 * `npm run bench -- --against <folder>`: this checkout and another one at the same workloads, in turn on the same broker and
 * the same topics. Of two runs that follow each other, the same one is not always the first, as a machine gets slower or
 * faster over minutes; a ratio is the median of those of the pairs.
 */
export interface AgainstOptions {
  readonly folder: string
  readonly cases: readonly Case[]
  readonly codecs: readonly Codec[]
  /** Pairs of each. */
  readonly runs: number
  readonly recordsOf: (each: Case) => number
}

/** The runs of two checkouts at the same, pair by pair. */
export interface Pairs extends Case {
  readonly codec: Codec
  readonly before: readonly Row[]
  readonly after: readonly Row[]
}

export const measureAgainst = async (place: RunPlace, options: AgainstOptions): Promise<void> => {
  const { folder, cases, codecs } = options
  const scripts = { before: scriptIn(resolve(folder)), after: scriptIn(resolve(import.meta.dirname, '..')) }
  const all: Pairs[] = []
  for (const codec of codecs) {
    await place.topics.compressInputs(codec)
    for (const each of cases) all.push({ codec, ...each, ...(await pairsOf(place, each, scripts, options)) })
  }
  process.stdout.write(`${tableOfPairs(all)}\n`)
}

const scriptIn = (folder: string): string => {
  const script = join(folder, 'bench/millrace-run.ts')
  if (!existsSync(script))
    throw new Error(`${folder} is no checkout of Millrace: it has no bench/millrace-run.ts`)
  return script
}

const pairsOf = async (
  place: RunPlace,
  each: Case,
  scripts: { readonly before: string; readonly after: string },
  { runs, recordsOf }: AgainstOptions,
): Promise<{ readonly before: readonly Row[]; readonly after: readonly Row[] }> => {
  const rows = { before: [] as Row[], after: [] as Row[] }
  for (let pair = 0; pair < runs; pair++)
    for (const side of pair % 2 === 0 ? (['before', 'after'] as const) : (['after', 'before'] as const)) {
      const row = await runOnce(place, { script: scripts[side], isMillrace: true }, each, recordsOf(each))
      process.stderr.write(`${JSON.stringify({ side, ...row })}\n`)
      rows[side].push(row)
    }
  return rows
}

/** A row for each workload, and what all of them took in sum, workload by workload with equal weight. */
export const tableOfPairs = (all: readonly Pairs[]): string => {
  const withCpu = all.filter(({ workload }) => !isQuiet(workload))
  return tableOf(
    ['workload', 'guarantee', 'input', 'records/s', 'ratio', 'µs CPU/record', 'before', 'ratio', 'more'],
    [
      ...all.map((pairs) => {
        const [before, after] = [medianOf(pairs.before), medianOf(pairs.after)]
        return [
          pairs.workload,
          pairs.guarantee,
          pairs.codec,
          ...(isPaced(pairs.workload)
            ? ['-', '-']
            : [
                `${Math.round(after.recordsPerSecond / 1000)} k`,
                ratioOf(pairs, 'recordsPerSecond').toFixed(3),
              ]),
          ...(isQuiet(pairs.workload)
            ? ['-', '-', ratioOf(pairs, 'percentOfCore').toFixed(3)]
            : [
                after.cpuMicrosPerRecord.toFixed(2),
                before.cpuMicrosPerRecord.toFixed(2),
                ratioOf(pairs, 'cpuMicrosPerRecord').toFixed(3),
              ]),
          latencyOf(before, after),
        ]
      }),
      [
        'all',
        '',
        '',
        '',
        '',
        sumOf(withCpu.map(({ after }) => after)).toFixed(2),
        sumOf(withCpu.map(({ before }) => before)).toFixed(2),
        (sumOf(withCpu.map(({ after }) => after)) / sumOf(withCpu.map(({ before }) => before))).toFixed(3),
        '',
      ],
    ],
  )
}

const ratioOf = (
  { before, after }: Pairs,
  number: 'recordsPerSecond' | 'cpuMicrosPerRecord' | 'percentOfCore',
): number =>
  median(after.map((row, pair) => (row[number] ?? Number.NaN) / (before[pair]?.[number] ?? Number.NaN)))

const sumOf = (sides: readonly (readonly Row[])[]): number =>
  sides.reduce((sum, rows) => sum + medianOf(rows).cpuMicrosPerRecord, 0)

const latencyOf = (before: Row, after: Row): string => {
  const text = ({ p50Ms = 0, p95Ms = 0, p99Ms = 0 }: Row): string =>
    [p50Ms, p95Ms, p99Ms].map(Math.round).join('/')
  return after.p50Ms === undefined ? '' : `p50/p95/p99 ${text(after)} ms, before ${text(before)}`
}
