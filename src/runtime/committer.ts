import type { GroupMembership } from '../kafka/group/group-membership.ts'
import type { AckedOffsets } from '../kafka/producer.ts'
import type { TransactionalProducer } from '../kafka/transaction/transactional-producer.ts'
import type { RecordOutput } from './record-output.ts'
import type { OffsetToCommit } from '../kafka/group/offsets.ts'

/**
 * How what was processed becomes final. At least once: the records are acknowledged, then the offsets are committed, so
 * a crash in between repeats records. Exactly once (KIP-447): records, changelogs and offsets are one transaction.
 */
export interface Committer {
  /** Makes ready to write, giving up what is not final; fences the producer that wrote under the same name before. */
  initialize(): Promise<void>
  /** Resolves with the offset after the last record of every partition written to, once all of it is final. */
  commit(offsets: readonly OffsetToCommit[]): Promise<AckedOffsets>
  /** Sees to it that what is final is so everywhere; for whenever there is nothing to commit. */
  settle(): Promise<void>
  /** Takes back what is not final, as far as it can be. */
  abort(): Promise<void>
}

export const atLeastOnce = (output: RecordOutput, membership: () => GroupMembership): Committer => ({
  initialize: () => output.discard(),
  commit: async (offsets) => {
    const acked = await output.flush()
    if (offsets.length > 0) await membership().commitOffsets(offsets)
    return acked
  },
  settle: () => Promise.resolve(),
  abort: () => output.discard(),
})

export const exactlyOnce = (
  output: RecordOutput,
  producer: TransactionalProducer,
  groupId: string,
  membership: () => GroupMembership,
): Committer => ({
  initialize: () => producer.initialize(),
  commit: async (offsets) => {
    await output.release()
    return producer.commit({ groupId, generation: membership(), offsets })
  },
  settle: () => producer.settle(),
  abort: async () => {
    output.forget()
    await producer.abort()
  },
})
