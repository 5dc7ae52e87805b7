import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { start } from 'millrace'
import { workloadTopology } from '../topologies.ts'
import type { GrowthCase } from './cases.ts'
import { growthTopicsOf } from './topics.ts'

/** What a process says of itself, several times a second, until it is told to stop. */
export interface GrowthReport {
  readonly processedRecords: number
  /** Since its first record. */
  readonly cpuMicros: number
  readonly peakRssMb: number
}

/** One process of a growth case; it takes its share of the partitions. */
const main = async (brokers: string, applicationId: string, each: GrowthCase): Promise<void> => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'millrace-growth-'))
  const topics = growthTopicsOf(each, applicationId)
  const topology = workloadTopology(each.work === 'join' ? 'W5' : 'W3', topics, each.withinMs)
  const application = await start(topology, {
    bootstrapServers: brokers,
    freezeState: false,
    applicationId,
    stateDirectory,
    commitIntervalMs: 100,
  })
  let begun: NodeJS.CpuUsage | undefined
  const report = (): void => {
    const { processedRecords } = application.metrics
    if (processedRecords > 0) begun ??= process.cpuUsage()
    const { user, system } = begun === undefined ? { user: 0, system: 0 } : process.cpuUsage(begun)
    const peakRssMb = Math.round(process.resourceUsage().maxRSS / 1024)
    process.send?.({ processedRecords, cpuMicros: user + system, peakRssMb } satisfies GrowthReport)
  }
  const timer = setInterval(report, 20)
  await Promise.race([
    new Promise((resolve) => process.once('message', resolve)),
    application.waitFor('failed').then(() => Promise.reject(application.failure as Error)),
  ])
  clearInterval(timer)
  await application.close()
  rmSync(stateDirectory, { recursive: true })
  process.disconnect()
}

const [brokers = '', applicationId = '', each = ''] = process.argv.slice(2)
await main(brokers, applicationId, JSON.parse(each) as GrowthCase)
