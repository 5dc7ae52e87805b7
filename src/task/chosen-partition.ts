import { Fault } from '../base/fault.ts'
import { contentsOfValue, kindOfValue } from '../base/shown.ts'
import { optionalResultOf } from '../topology/callback-results.ts'
import type { AnyRecord } from '../topology/node.ts'
import type { SinkTarget } from './ports.ts'

/**
 * What a sink's partitioner chooses: one partition, several different ones, or none (an empty array); undefined leaves it
 * to the key. Any other answer fails the record, before it is written anywhere.
 */
export const chosenPartitions = (
  { partitioner }: Pick<SinkTarget, 'partitioner'>,
  record: AnyRecord,
  topic: string,
  partitionCount: number,
): number | readonly number[] | undefined => {
  if (partitioner === undefined) return undefined
  const chosen: unknown = optionalResultOf('the partitioner', partitioner(record, partitionCount))
  if (chosen === undefined || chosen === null) return undefined
  if (!Array.isArray(chosen)) return validPartition(chosen, topic, partitionCount)
  const partitions = Array.from(chosen, (each: unknown) => validPartition(each, topic, partitionCount))
  return Array.from(new Set(partitions))
}

const validPartition = (chosen: unknown, topic: string, partitionCount: number): number => {
  if (Number.isInteger(chosen) && (chosen as number) >= 0 && (chosen as number) < partitionCount)
    // JavaScript's % makes -0 of some negative hashes.
    return Math.abs(chosen as number)
  throw new Fault({
    code: 'PARTITION_INVALID',
    actor: 'record',
    message: `the partitioner returned ${kindOfValue(chosen)} for a topic of ${partitionCount} ${partitionCount === 1 ? 'partition' : 'partitions'}`,
    remedy: `return a whole number from 0 to ${partitionCount - 1}, an array of them, or undefined to choose by key`,
    place: { topic },
    contents: contentsOfValue('chosen', chosen),
  })
}
