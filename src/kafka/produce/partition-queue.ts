import type { BatchBuilder, SealedBatch } from '../record-batch/batch-builder.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { ProducerIdentity } from './producer-session.ts'
import type { RecordSources } from './record-sources.ts'

/** A sealed batch on its way: waiting, in flight, or put back to be sent again. */
export interface PendingBatch {
  readonly sealed: SealedBatch
  /** Which `flush` it belongs to. */
  readonly generation: number
  readonly createdMs: number
  /** What its records were made from, where the caller passes it. */
  readonly sources: RecordSources | undefined
  /** Given when it is first sent; it stays with it, so that the broker knows a repeated batch. */
  sequence: number | undefined
  /** True where it was sent before and it may have been stored then. */
  isUncertain: boolean
}

/** A batch that has not been sent yet. */
export const pendingBatch = (
  sealed: SealedBatch,
  generation: number,
  createdMs: number,
  sources: RecordSources | undefined,
): PendingBatch => ({ sealed, generation, createdMs, sources, sequence: undefined, isUncertain: false })

/**
 * What goes to one partition, and the rules that keep its order:
 *
 * - A batch that must be repeated mutes the queue: nothing is sent until all that is in flight has come back.
 * - A repeated batch goes alone, and so does the first one of a producer: a broker that knows nothing of a producer
 *   takes any first sequence, also that of a second batch whose first one it has refused.
 * - A refused batch has used no number: what is left of it and all behind it are numbered again, once all is back.
 *   Nothing behind it can have been stored meanwhile, as its number was not the next one.
 * - Where a batch is lost for good, those in flight behind it are lost too.
 */
export class PartitionQueue implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** The batch that records are added to. */
  open: BatchBuilder | undefined
  openedMs = 0
  /** What the records of the open batch were made from. */
  openSources: RecordSources | undefined
  /** Batches are sealed at this size: larger ones were refused. */
  largestBytes = Number.POSITIVE_INFINITY
  /** Not asked for before this time: its leader is being looked up, or it pauses after a failed attempt. */
  notBeforeMs = 0
  readonly #waiting: PendingBatch[] = []
  #inFlight = 0
  #isMuted = false
  #isLost = false
  #nextSequence = 0
  #knownAs = -1
  #renumberFrom: number | undefined
  #acceptedBytes = 0

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get isLost(): boolean {
    return this.#isLost
  }

  get isMuted(): boolean {
    return this.#isMuted
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** When the oldest waiting batch was begun. */
  get oldestMs(): number {
    return this.#waiting[0]?.createdMs ?? Number.POSITIVE_INFINITY
  }

  add(batch: PendingBatch): void {
    this.#waiting.push(batch)
  }

  /** The batch that may go now, of no later generation than `lastGeneration`. */
  next(producerId: number | undefined, lastGeneration: number, nowMs: number): PendingBatch | undefined {
    const [first] = this.#waiting
    if (first === undefined || this.#isMuted || this.notBeforeMs > nowMs) return undefined
    if (first.generation > lastGeneration) return undefined
    const goesAlone = first.sequence !== undefined || this.#knownAs !== producerId
    return goesAlone && this.#inFlight > 0 ? undefined : first
  }

  /** Takes the next batch out and writes into it who sends it, as what number. */
  take({ producerId, producerEpoch }: ProducerIdentity, transactional: boolean): PendingBatch | undefined {
    const batch = this.#waiting.shift()
    if (batch === undefined) return undefined
    this.#inFlight++
    if (batch.sequence === undefined) {
      batch.sequence = this.#nextSequence
      // Sequences are 31 bits and begin again at 0 after the last.
      this.#nextSequence = (this.#nextSequence + batch.sealed.count) % 0x8000_0000
    }
    batch.sealed.stamp(producerId, producerEpoch, batch.sequence, transactional)
    return batch
  }

  /** The broker has stored a batch of this producer. */
  acknowledged(producerId: number, batch: PendingBatch): void {
    this.#knownAs = producerId
    this.#acceptedBytes = Math.max(this.#acceptedBytes, batch.sealed.bytes.length)
    this.largestBytes = Math.max(this.largestBytes, this.#acceptedBytes)
  }

  /** Adds a batch of an earlier generation than some that may wait here. */
  addEarlier(batch: PendingBatch): void {
    const { generation } = batch
    this.#insert(batch, (other) => other.sequence === undefined && other.generation > generation)
  }

  /** A batch was refused as it is: what is left of it goes in its place, without a pause. */
  replace(batch: PendingBatch, pieces: readonly PendingBatch[]): void {
    this.#isMuted = true
    const sequence = batch.sequence as number
    if (this.#renumberFrom === undefined || isAfter(this.#renumberFrom, sequence))
      this.#renumberFrom = sequence
    for (const piece of pieces) {
      piece.sequence = sequence
      this.#insert(piece, isBehind(sequence))
    }
  }

  /** Batches of this size are too large; no later one is to be, but for what is known to pass. */
  refusedSize(bytes: number): void {
    this.largestBytes = Math.min(this.largestBytes, Math.max(this.#acceptedBytes, bytes >> 1))
  }

  /** Puts a batch back where its sequence belongs. */
  putBack(batch: PendingBatch): void {
    this.#isMuted = true
    this.#insert(batch, isBehind(batch.sequence as number))
  }

  /** A batch is lost for good: what waits goes with it. */
  lose(): readonly PendingBatch[] {
    this.#renumberFrom = undefined
    this.#isLost = this.#inFlight > 0
    this.#isMuted = this.#inFlight > 0
    return this.#waiting.splice(0)
  }

  /** One batch has come back, stored or not; true where what waits must pause before it is repeated. */
  cameBack(): boolean {
    this.#inFlight--
    if (!this.#isMuted || this.#inFlight > 0) return false
    this.#isMuted = false
    this.#isLost = false
    if (this.#renumberFrom === undefined) return this.#waiting.length > 0
    this.#renumber(this.#renumberFrom)
    return false
  }

  /** Numbers begin at 0 under a new identity. */
  resetSequences(): void {
    this.#nextSequence = 0
    this.#renumberFrom = undefined
    for (const batch of this.#waiting) forgetNumber(batch)
  }

  #renumber(from: number): void {
    this.#renumberFrom = undefined
    this.#nextSequence = from
    for (const batch of this.#waiting)
      if (batch.sequence !== undefined && !isAfter(from, batch.sequence)) forgetNumber(batch)
  }

  #insert(batch: PendingBatch, isBefore: (other: PendingBatch) => boolean): void {
    const at = this.#waiting.findIndex(isBefore)
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, batch)
  }
}

const isBehind =
  (sequence: number) =>
  (other: PendingBatch): boolean =>
    other.sequence === undefined || isAfter(other.sequence, sequence)

/** Numbers have 31 bits and go round: of two, the one behind is the one that is less than half of them ahead. */
const isAfter = (left: number, right: number): boolean => (left - right) << 1 > 0

const forgetNumber = (batch: PendingBatch): void => {
  batch.sequence = undefined
  batch.isUncertain = false
}

/** What is known of one topic that is sent to. */
export interface TopicQueues {
  readonly topic: string
  /** Undefined until it is known. */
  partitionCount: number | undefined
  readonly byPartition: (PartitionQueue | undefined)[]
}

/** The queues of all partitions that were ever sent to; found without making a name, once per record. */
export class PartitionQueues {
  readonly #byTopic = new Map<string, TopicQueues>()
  readonly #all: PartitionQueue[] = []
  /** The topic asked for last, which the next record nearly always goes to as well. */
  #latest: TopicQueues | undefined

  get all(): readonly PartitionQueue[] {
    return this.#all
  }

  of(topic: string, partition: number): PartitionQueue {
    const { byPartition } = this.ofTopic(topic)
    const queue = byPartition[partition]
    if (queue !== undefined) return queue
    const added = new PartitionQueue(topic, partition)
    byPartition[partition] = added
    this.#all.push(added)
    return added
  }

  ofTopic(topic: string): TopicQueues {
    if (topic !== this.#latest?.topic) this.#latest = this.#find(topic)
    return this.#latest
  }

  #find(topic: string): TopicQueues {
    const known = this.#byTopic.get(topic)
    if (known !== undefined) return known
    const added: TopicQueues = { topic, partitionCount: undefined, byPartition: [] }
    this.#byTopic.set(topic, added)
    return added
  }
}
