import { Fault } from '../base/fault.ts'
import type { Cluster } from '../kafka/cluster.ts'
import type { GroupMembership } from '../kafka/group/group-membership.ts'
import type { RefusedRecord } from '../kafka/produce/refused-batch.ts'
import { Producer } from '../kafka/producer.ts'
import { TransactionalProducer } from '../kafka/transaction/transactional-producer.ts'
import type { Committer } from './committer.ts'
import { atLeastOnce, exactlyOnce } from './committer.ts'
import type { Metrics } from './metrics.ts'
import type { RecordFailureHandler } from './record-failure-handler.ts'
import { RecordOutput } from './record-output.ts'
import type { RuntimeSettings } from './runtime-settings.ts'
import { producerSettingsOf } from './producer-settings.ts'

export interface ApplicationOutputOptions {
  readonly cluster: Cluster
  readonly settings: RuntimeSettings
  readonly metrics: Metrics
  readonly failureHandler: RecordFailureHandler
  /** Distinguishes this member's transactions from those of all others. */
  readonly transactionName: string
  /** Known once there is something to commit. */
  readonly membership: () => GroupMembership
  readonly onRetry: (fault: Fault) => void
}

/** What one member writes through and commits by, as its guarantee has it. */
export const applicationOutput = ({
  cluster,
  settings,
  metrics,
  failureHandler,
  transactionName,
  membership,
  onRetry,
}: ApplicationOutputOptions): { readonly output: RecordOutput; readonly committer: Committer } => {
  const producerOptions = {
    cluster,
    ...producerSettingsOf(settings),
    onRetry,
    onRefused: (refused: RefusedRecord) => failureHandler.refused(refused),
    keepsSources: failureHandler.keepsSources,
  }
  if (settings.processingGuarantee === 'at_least_once') {
    // Transactions are fenced by the broker; without them, a process that stood still must not write what is outdated.
    const refusal = (): Fault | undefined => (membership().checkSession() ? undefined : outOfSession())
    const output = new RecordOutput(new Producer({ ...producerOptions, refusal }), metrics, failureHandler)
    return { output, committer: atLeastOnce(output, membership) }
  }
  const producer = new TransactionalProducer({
    ...producerOptions,
    transactionalId: `${settings.applicationId}-${transactionName}`,
    transactionTimeoutMs: settings.transactionTimeoutMs,
    groupId: settings.applicationId,
  })
  const output = new RecordOutput(producer.producer, metrics, failureHandler)
  return { output, committer: exactlyOnce(output, producer, settings.applicationId, membership) }
}

const outOfSession = (): Fault =>
  new Fault({
    code: 'UNKNOWN_MEMBER_ID',
    actor: 'runtime',
    message:
      'the group may have gone on without this process, so it writes nothing more before it has joined again',
  })
