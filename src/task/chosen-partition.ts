import { Fault } from '../base/fault.ts'
import { optionalResultOf, shown } from '../topology/callback-results.ts'
import type { AnyRecord } from '../topology/node.ts'
import type { SinkTarget } from './ports.ts'

/** The partition that a sink's partitioner chooses; undefined leaves it to the key. Any other answer fails the record. */
export const chosenPartition = (
  { partitioner }: Pick<SinkTarget, 'partitioner'>,
  record: AnyRecord,
  topic: string,
  partitionCount: number,
): number | undefined => {
  if (partitioner === undefined) return undefined
  const chosen: unknown = optionalResultOf('the partitioner', partitioner(record, partitionCount))
  if (chosen === undefined || chosen === null) return undefined
  if (Number.isInteger(chosen) && (chosen as number) >= 0 && (chosen as number) < partitionCount)
    // JavaScript's % makes -0 of some negative hashes.
    return Math.abs(chosen as number)
  throw new Fault({
    code: 'PARTITION_INVALID',
    actor: 'record',
    message: `the partitioner returned ${shown(chosen)} for a topic of ${partitionCount} ${partitionCount === 1 ? 'partition' : 'partitions'}`,
    remedy: `return a whole number from 0 to ${partitionCount - 1}, or undefined to choose by key`,
    place: { topic },
  })
}
