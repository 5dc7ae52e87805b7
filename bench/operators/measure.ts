import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { median } from '../median.ts'
import type { Storage } from './drive.ts'
import { Drive, batchesOf } from './drive.ts'
import type { Operator } from './operators.ts'

export interface Measured {
  readonly recordsPerSecond: number
  readonly cpuMicrosPerRecord: number
  /** Heap and buffers that its stores hold for 100,000 keys; undefined where it keeps nothing. */
  readonly heapMbPer100kKeys: number | undefined
  readonly written: number
}

export interface MeasureOptions {
  readonly storage: Storage
  readonly records: number
  readonly runs: number
}

/** Runs an operator several times over the same input, each time with new stores; the medians. */
export const measure = (
  { topology, keys, preload, recordAt }: Operator,
  { storage, records, runs }: MeasureOptions,
): Measured => {
  const before = preload === undefined ? [] : batchesOf(preload.count, preload.recordAt)
  const batches = batchesOf(records, recordAt)
  const each = Array.from({ length: runs }, () => {
    using drive = new Drive(topology, storage)
    const emptyBytes = liveBytes()
    for (const batch of before) drive.process(batch)
    const cpu = process.cpuUsage()
    const begunMs = performance.now()
    for (const batch of batches) drive.process(batch)
    const elapsedMs = performance.now() - begunMs
    const { user, system } = process.cpuUsage(cpu)
    const heldBytes = drive.stores === 0 ? 0 : liveBytes() - emptyBytes
    return { elapsedMs, cpuMicros: user + system, heldBytes, written: drive.written }
  })
  const per100k = keys === undefined ? undefined : 100_000 / keys
  return {
    recordsPerSecond: Math.round(records / (median(each.map(({ elapsedMs }) => elapsedMs)) / 1000)),
    cpuMicrosPerRecord: median(each.map(({ cpuMicros }) => cpuMicros)) / records,
    heapMbPer100kKeys: per100k && (median(each.map(({ heldBytes }) => heldBytes)) * per100k) / 1_048_576,
    written: each[0]?.written ?? 0,
  }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const liveBytes = (): number => {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
