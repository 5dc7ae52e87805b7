import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { millraceFlags } from '../millrace-flags.ts'
import { tableOf } from '../table.ts'
import type { GrowthCase } from './cases.ts'
import { growthCases, inputsOf } from './cases.ts'
import type { GrowthReport } from './run.ts'
import { GrowthTopics } from './topics.ts'

interface GrowthRow {
  readonly seconds: number
  readonly cpuMicros: number
  readonly peakRssMb: readonly number[]
}

/** Measures Millrace alone at what grows, and prints a table; `sections` are all unless given. */
export const measureGrowth = async (brokers: string, sections?: readonly string[]): Promise<void> => {
  await using topics = new GrowthTopics(brokers)
  const rows: (readonly string[])[] = []
  for (const each of growthCases.filter(({ section }) => sections?.includes(section) ?? true)) {
    const applicationId = `bench-growth-${crypto.randomUUID().slice(0, 8)}`
    await topics.prepare(each, applicationId)
    const row = cellsOf(each, await run(each, brokers, applicationId))
    await topics.clean(applicationId)
    process.stderr.write(`${row.join(', ')}\n`)
    rows.push(row)
  }
  process.stdout.write(
    `${tableOf(['what grows', 'records', 'records/s', 'µs CPU/record', 'peak RSS MB'], rows)}\n`,
  )
}

const cellsOf = (each: GrowthCase, { seconds, cpuMicros, peakRssMb }: GrowthRow): readonly string[] => {
  const records = inputsOf(each)
  return [
    each.name,
    `${records / 1000} k`,
    `${Math.round(records / seconds / 1000)} k`,
    (cpuMicros / records).toFixed(2),
    peakRssMb.join(' + '),
  ]
}

/** Runs the processes of a case until they have done all records between them. */
const run = async (each: GrowthCase, brokers: string, applicationId: string): Promise<GrowthRow> => {
  const children = Array.from({ length: each.processes }, () =>
    fork(join(import.meta.dirname, 'run.ts'), [brokers, applicationId, JSON.stringify(each)], {
      execArgv: [...millraceFlags],
    }),
  )
  const reports = new Map<number, GrowthReport>()
  const done = Promise.withResolvers<void>()
  let begunMs = 0
  for (const [index, child] of children.entries()) {
    child.on('message', (report: GrowthReport) => {
      reports.set(index, report)
      const processed = sum([...reports.values()].map((one) => one.processedRecords))
      if (processed > 0 && begunMs === 0) begunMs = performance.now()
      if (processed >= inputsOf(each)) done.resolve()
    })
    child.once('exit', (code) => done.reject(new Error(`a run of '${each.name}' ended with ${code}`)))
  }
  await done.promise
  const seconds = (performance.now() - begunMs) / 1000
  for (const child of children) child.removeAllListeners('exit').send('stop')
  await Promise.all(children.map((child) => once(child, 'exit')))
  const all = [...reports.values()]
  return {
    seconds,
    cpuMicros: sum(all.map((report) => report.cpuMicros)),
    peakRssMb: all.map((report) => report.peakRssMb),
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)
