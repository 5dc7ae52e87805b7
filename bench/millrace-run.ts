import { readFileSync } from 'node:fs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Application, StartOptions } from 'millrace'
import { start } from 'millrace'
import { measurement, measureQuiet } from './peers/measure.ts'
import type { PeerOptions, PeerResult } from './peers/peer-options.ts'
import { peerOptions } from './peers/peer-options.ts'
import { inputRecords, isQuiet, topicsOf } from './peers/workloads.ts'
import { workloadTopology } from './topologies.ts'

/**
 * One run of Millrace, in a process of its own, through the public door. It is over when all records are processed and
 * committed, and prints one line of JSON.
 */
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
  version: string
}

const main = async (options: PeerOptions): Promise<void> => {
  const result = await runOf(options)
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

const runOf = (options: PeerOptions): Promise<PeerResult> => {
  if (options.workload === 'W6') return restart(options)
  return isQuiet(options.workload) ? beQuiet(options) : processAll(options)
}

/** Waits for the first record, then for as long as it is measured. */
const beQuiet = async (options: PeerOptions): Promise<PeerResult> => {
  const result = Promise.withResolvers<PeerResult>()
  await running(options, {}, async (application) => {
    await processed(application, 1)
    result.resolve(await measureQuiet({ name: 'millrace', version }))
  })
  return result.promise
}

const processAll = async (options: PeerOptions): Promise<PeerResult> => {
  const records = inputRecords(options.workload, options.records)
  const measured = measurement(records)
  await running(options, {}, async (application) => {
    await processed(application, records, (count) => {
      if (count > 0) measured.processed(count)
    })
  })
  return measured.end({ name: 'millrace', version })
}

/** Starts, stops cleanly, and starts anew without state: how long the store and the first record take. */
const restart = async (options: PeerOptions): Promise<PeerResult> => {
  await running(options, {}, (application) => processed(application, 1))
  const cpuBefore = process.cpuUsage()
  const startMs = performance.now()
  let restoreStartMs = 0
  let restoreEndMs = 0
  let firstMs = 0
  let restoredRecords = 0
  const onRestore: StartOptions['onRestore'] = (progress) => {
    if (restoreStartMs === 0) restoreStartMs = performance.now()
    restoreEndMs = performance.now()
    restoredRecords = Math.max(restoredRecords, progress.restoredRecords)
  }
  await running(options, { onRestore }, async (application) => {
    await processed(application, 1)
    firstMs = performance.now()
  })
  const { user, system } = process.cpuUsage(cpuBefore)
  const restoreSeconds = (restoreEndMs - restoreStartMs) / 1000
  const cpuMicrosPerRecord = Math.round(((user + system) / restoredRecords) * 1000) / 1000
  return {
    peer: 'millrace',
    version,
    seconds: restoreSeconds,
    recordsPerSecond: Math.round(restoredRecords / restoreSeconds),
    cpuMicrosPerRecord,
    cpuMicrosPerRecordWithStartUp: cpuMicrosPerRecord,
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    restoreSeconds,
    restartSeconds: (firstMs - startMs) / 1000,
  }
}

/** Runs the application, with a new directory for its state, until `work` is done. */
const running = async (
  { brokers, workload, records, applicationId, guarantee, commitIntervalMs }: PeerOptions,
  listener: StartOptions,
  work: (application: Application) => Promise<void>,
): Promise<void> => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const topology = workloadTopology(workload, topicsOf(workload, records, applicationId))
  const application = await start(
    topology,
    {
      bootstrapServers: brokers,
      applicationId,
      stateDirectory,
      commitIntervalMs,
      // As in production, whatever NODE_ENV is here.
      freezeState: false,
      processingGuarantee: guarantee === 'exactly-once' ? 'exactly_once' : 'at_least_once',
    },
    listener,
  )
  try {
    await Promise.race([work(application), application.waitFor('failed')])
    if (application.state === 'failed') throw application.failure
  } finally {
    await application.close()
    rmSync(stateDirectory, { recursive: true })
  }
}

/** Polls until so many records are processed, and passes each count to `onCount`. */
const processed = async (
  application: Application,
  records: number,
  onCount?: (count: number) => void,
): Promise<void> => {
  for (;;) {
    const count = application.metrics.processedRecords
    onCount?.(count)
    if (count >= records) return
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

await main(peerOptions())
