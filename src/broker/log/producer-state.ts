import { Refusal } from '../protocol/errors.ts'
import { isTransactional, lastSequenceOf, sequenceAfter, type BatchHeader } from './record-batch.ts'

/**
 * What a partition remembers of each idempotent producer: its epoch and its last five batches, which is how a resent
 * batch is recognised (a client has at most five in flight), and where its open transaction began.
 */
export interface RememberedBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly timestamp: number
}

export interface ProducerEntry {
  producerEpoch: number
  lastTimestamp: number
  batches: RememberedBatch[]
}

const REMEMBERED_BATCHES = 5

export class ProducerState {
  readonly #entries = new Map<number, ProducerEntry>()
  /** Producer id to the first offset of its open transaction; in the order of those offsets, as they only grow. */
  readonly #open = new Map<number, number>()

  get entries(): ReadonlyMap<number, ProducerEntry> {
    return this.#entries
  }

  /** The earlier append of the very same batch, if it is remembered. */
  duplicateOf(header: BatchHeader): RememberedBatch | undefined {
    const entry = this.#entries.get(header.producerId)
    if (entry === undefined || entry.producerEpoch !== header.producerEpoch) return undefined
    const lastSequence = lastSequenceOf(header)
    return entry.batches.find(
      (batch) => batch.firstSequence === header.baseSequence && batch.lastSequence === lastSequence,
    )
  }

  /** Throws the refusal that Kafka gives to a batch of an old epoch, out of sequence or beside a transaction. */
  check(header: BatchHeader): void {
    const entry = this.#entries.get(header.producerId)
    if (entry === undefined) return
    if (header.producerEpoch < entry.producerEpoch)
      throw new Refusal('INVALID_PRODUCER_EPOCH', 'a newer producer with the same id has taken over')
    checkSequence(header, entry)
    if (this.#open.has(header.producerId) && !isTransactional(header))
      throw new Refusal(
        'INVALID_TXN_STATE',
        'the producer has an open transaction, and this batch is not of it',
      )
  }

  /** Notes a data batch that was appended. */
  appended(header: BatchHeader, baseOffset: number, transactional: boolean): void {
    const entry = this.#entryFor(header)
    entry.lastTimestamp = header.maxTimestamp
    entry.batches.push({
      firstSequence: header.baseSequence,
      lastSequence: lastSequenceOf(header),
      baseOffset,
      lastOffset: baseOffset + header.lastOffsetDelta,
      timestamp: header.maxTimestamp,
    })
    if (entry.batches.length > REMEMBERED_BATCHES) entry.batches.shift()
    if (transactional && !this.#open.has(header.producerId)) this.#open.set(header.producerId, baseOffset)
  }

  /** Notes a transaction marker; returns where the transaction that it ends began in this partition. */
  ended(header: BatchHeader): number | undefined {
    const entry = this.#entryFor(header)
    const firstOffset = this.#open.get(header.producerId)
    this.#open.delete(header.producerId)
    entry.lastTimestamp = header.maxTimestamp
    return firstOffset
  }

  /** Whether the batch goes on with a transaction that was let into this partition before. */
  hasOpenTransaction({ producerId, producerEpoch }: BatchHeader): boolean {
    return this.#open.has(producerId) && this.#entries.get(producerId)?.producerEpoch === producerEpoch
  }

  /** Where the open transaction of a producer began in this partition. */
  openOffsetOf(producerId: number): number | undefined {
    return this.#open.get(producerId)
  }

  /** Where the earliest open transaction began, or undefined if none is open. */
  firstOpenOffset(): number | undefined {
    for (const firstOffset of this.#open.values()) return firstOffset
    return undefined
  }

  #entryFor(header: BatchHeader): ProducerEntry {
    let entry = this.#entries.get(header.producerId)
    if (entry === undefined) {
      entry = {
        producerEpoch: header.producerEpoch,
        lastTimestamp: -1,
        batches: [],
      }
      this.#entries.set(header.producerId, entry)
    }
    if (header.producerEpoch > entry.producerEpoch) {
      entry.producerEpoch = header.producerEpoch
      entry.batches = []
    }
    return entry
  }
}

const checkSequence = (header: BatchHeader, entry: ProducerEntry): void => {
  const isNewEpoch = header.producerEpoch > entry.producerEpoch
  const lastSequence = isNewEpoch ? -1 : (entry.batches.at(-1)?.lastSequence ?? -1)
  if (header.baseSequence !== sequenceAfter(lastSequence, 1))
    throw new Refusal(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
      `sequence ${header.baseSequence} does not follow ${lastSequence} in epoch ${header.producerEpoch}`,
    )
}
