import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import { BATCH_BYTES, type MemoryLimits } from './memory-budget.ts'

/** The bytes that were set, by default half of the memory; and as many batches as take half of Node's heap. */
export const memoryLimits = (
  maxBytes: number | undefined,
  machineBytes = totalmem(),
  containerBytes = process.constrainedMemory(),
): MemoryLimits => ({
  // Without a limit of a container, Node reports 0 or a number beyond the machine's memory.
  maxBytes: maxBytes ?? Math.floor(Math.min(machineBytes, containerBytes || Infinity) / 2),
  maxBatches: Math.floor(getHeapStatistics().heap_size_limit / 2 / BATCH_BYTES),
})
