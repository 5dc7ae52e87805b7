import { groupOutcomes } from './groups.ts'
import { recordOutcomes } from './records.ts'
import { topicOutcomes } from './topics.ts'
import { transactionOutcomes } from './transactions.ts'
import type { Outcome } from './world.ts'

/** What a client is answered, asked of the embedded broker and of Apache Kafka by the same requests. */
export const outcomes: readonly Outcome[] = [
  ...recordOutcomes,
  ...topicOutcomes,
  ...groupOutcomes,
  ...transactionOutcomes,
]
