import { describe, expect, it } from 'vitest'
import type { PendingBatch } from '../../../src/kafka/produce/partition-queue.ts'
import { PartitionQueue, pendingBatch } from '../../../src/kafka/produce/partition-queue.ts'
import { SealedBatch } from '../../../src/kafka/record-batch/batch-builder.ts'

const identity = { producerId: 7, producerEpoch: 0 }

const batchOf = (count: number): PendingBatch =>
  pendingBatch(new SealedBatch(new Uint8Array(100), count, Buffer.alloc(0)), 0, 0, undefined)

const take = (queue: PartitionQueue): PendingBatch => {
  const batch = queue.take(identity, false)
  if (batch === undefined) throw new Error('nothing waits')
  return batch
}

/** A queue whose next numbers are the last before they begin again at 0, and two batches in flight over the seam. */
const overTheSeam = (): { readonly queue: PartitionQueue; readonly inFlight: readonly PendingBatch[] } => {
  const queue = new PartitionQueue('t', 0)
  queue.add(batchOf(2 ** 31 - 5))
  queue.acknowledged(identity.producerId, take(queue))
  queue.cameBack()
  for (let index = 0; index < 2; index++) queue.add(batchOf(10))
  return { queue, inFlight: [take(queue), take(queue)] }
}

describe('the numbers of batches', () => {
  it('begin again at 0 after the last of 31 bits', () => {
    const { inFlight } = overTheSeam()
    expect(inFlight.map(({ sequence }) => sequence)).toEqual([2 ** 31 - 5, 5])
  })

  it('keep the order of batches that are put back there', () => {
    const { queue, inFlight } = overTheSeam()
    for (const batch of inFlight) {
      queue.putBack(batch)
      queue.cameBack()
    }
    expect(take(queue)).toBe(inFlight[0])
  })

  it('are given again from a refused batch on, there too', () => {
    const { queue, inFlight } = overTheSeam()
    const [first, second] = inFlight as [PendingBatch, PendingBatch]
    queue.putBack(second)
    queue.cameBack()
    const piece = batchOf(9)
    queue.replace(first, [piece])
    expect(queue.cameBack()).toBe(false)
    expect([take(queue), take(queue)]).toEqual([piece, second])
    expect([piece.sequence, second.sequence]).toEqual([2 ** 31 - 5, 4])
  })
})
