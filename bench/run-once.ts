import { join } from 'node:path'
import { runToEnd } from '../test/support/run-process.ts'
import type { Latency } from './latency.ts'
import { LatencyProbe } from './latency.ts'
import { millraceFlags } from './millrace-flags.ts'
import type { PeerResult } from './peers/peer-options.ts'
import type { Guarantee, Workload } from './peers/workloads.ts'
import { guarantees, topicsOf } from './peers/workloads.ts'
import type { Row } from './report.ts'
import type { BenchTopics } from './topics.ts'
import { order } from './topics.ts'

/** A workload under a guarantee; W3 and what goes at a pace are measured under both. */
export interface Case {
  readonly workload: Workload
  readonly guarantee: Guarantee
}

export const casesOf = (workload: Workload, wanted?: Guarantee): readonly Case[] => {
  const own: readonly Guarantee[] =
    workload === 'W2'
      ? ['exactly-once']
      : ['W3', 'W7', 'W8', 'W9'].includes(workload)
        ? guarantees
        : ['at-least-once']
  return (wanted === undefined ? own : [wanted]).map((guarantee) => ({ workload, guarantee }))
}

/** How many orders a run of W1 to W5 processes by default, so that its second half is measured warm. */
export const warmRecords = 5_000_000
export const coldRecords = 1_000_000

export const defaultRecords = (workload: Workload, warm: boolean): number =>
  warm && ['W1', 'W2', 'W3', 'W4', 'W5'].includes(workload) ? warmRecords : coldRecords

/** What runs: a script that takes the options of `peers/peer-options.ts`. */
export interface Runner {
  readonly script: string
  readonly isMillrace: boolean
}

export interface RunPlace {
  readonly topics: BenchTopics
  readonly brokers: string
}

/** One run, in a process of its own, whose topics are made before it and taken away after it. */
export const runOnce = async (
  { topics, brokers }: RunPlace,
  { script, isMillrace }: Runner,
  { workload, guarantee }: Case,
  records: number,
): Promise<Row> => {
  const applicationId = `bench-${crypto.randomUUID().slice(0, 8)}`
  await topics.prepare(workload, records, applicationId)
  const place = ['--brokers', brokers, '--application-id', applicationId]
  const work = ['--workload', workload, '--records', String(records), '--guarantee', guarantee]
  const flags = isMillrace ? millraceFlags : []
  const ended = runToEnd(process.execPath, [...flags, script, ...place, ...work], {
    deadlineMs: 10 * 60_000,
    env: { NODE_COMPILE_CACHE: compileCache },
  })
  const [{ stdout }, latency] = await Promise.all([
    ended,
    beside(ended, { topics, brokers }, workload, applicationId, records),
  ])
  const outputRecords = await topics.clean(applicationId)
  const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as PeerResult
  return { workload, guarantee, outputRecords, ...result, ...latency }
}

/** A published package has its types taken out; so has whatever runs here, from its second run on. */
const compileCache = join(import.meta.dirname, '../.cache/bench/node')

/** What goes on while a run is under way: measuring latency, or a record now and then. */
const beside = async (
  ended: Promise<unknown>,
  { topics, brokers }: RunPlace,
  workload: Workload,
  applicationId: string,
  records: number,
): Promise<Latency | undefined> => {
  if (workload === 'W7') return new LatencyProbe(brokers, applicationId, records).run(ended)
  if (workload !== 'W6' && workload !== 'W9') return undefined
  const { orders } = topicsOf(workload, records, applicationId)
  let index = 1
  const trickle = setInterval(() => void topics.append(orders, order(index++)), 50)
  await ended.finally(() => clearInterval(trickle))
  return undefined
}
