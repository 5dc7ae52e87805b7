import type { GroupCoordinator } from '../group/coordinator.ts'
import type { Topics } from '../topic/topics.ts'
import type { TransactionCoordinator } from '../transaction/coordinator.ts'
import type { Transaction } from '../transaction/transaction.ts'
import type { JournalEntry, OffsetEntry, TopicEntry, TransactionEntry } from './storage.ts'

/** The state of a broker that its journal holds. */
interface JournaledState {
  clusterId: string
  nextProducerId: number
  readonly topics: Topics
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  restoreTopic(entry: TopicEntry, logStartOf: (partition: number) => number): void
}

/** Between the state of a broker and the lines of its journal. */
export const transactionEntry = (transaction: Transaction): TransactionEntry => ({
  ...transaction,
  kind: 'transaction',
  partitions: Array.from(transaction.partitions, ([topic, partitions]) => [topic, [...partitions]] as const),
  groups: [...transaction.groups],
})

const transactionOf = (entry: TransactionEntry): Transaction => ({
  ...entry,
  partitions: new Map(entry.partitions.map(([topic, numbers]) => [topic, new Set(numbers)])),
  groups: new Set(entry.groups),
})

/** Entries that say all that the broker knows. */
export function* snapshotOf(broker: JournaledState): Generator<JournalEntry> {
  yield { kind: 'cluster', clusterId: broker.clusterId }
  yield { kind: 'producerIds', next: broker.nextProducerId }
  for (const topic of broker.topics.all) {
    yield topicEntry(topic)
    for (const [partition, log] of topic.partitions.entries())
      if (log.logStartOffset > 0)
        yield { kind: 'logStart', id: topic.id, partition, offset: log.logStartOffset }
  }
  for (const { groupId, offsets, transactionalOffsets } of broker.groups.groups.values()) {
    for (const entry of offsets.entries(groupId)) yield { kind: 'offset', ...entry }
    for (const [producerId, table] of transactionalOffsets)
      for (const entry of table.entries(groupId)) yield { kind: 'pendingOffset', producerId, ...entry }
  }
  for (const transaction of broker.transactions.transactions.values()) yield transactionEntry(transaction)
}

export const topicEntry = (topic: {
  readonly name: string
  readonly id: string
  readonly partitions: readonly unknown[]
  readonly configs: ReadonlyMap<string, string>
}): TopicEntry => ({
  kind: 'topic',
  name: topic.name,
  id: topic.id,
  partitions: topic.partitions.length,
  configs: Object.fromEntries(topic.configs),
})

/** Puts a broker that has just been made into the state of the journal. */
export const replay = (broker: JournaledState, entries: readonly JournalEntry[]): void => {
  const topics = new Map<string, TopicEntry>()
  const logStarts = new Map<string, number>()
  for (const entry of entries) {
    if (entry.kind === 'topic') topics.set(entry.id, entry)
    else if (entry.kind === 'topicDeleted') topics.delete(entry.id)
    else if (entry.kind === 'logStart') logStarts.set(`${entry.id}-${entry.partition}`, entry.offset)
    else apply(broker, entry)
  }
  for (const topic of topics.values())
    broker.restoreTopic(topic, (partition) => logStarts.get(`${topic.id}-${partition}`) ?? 0)
  broker.transactions.resume()
}

type SimpleEntry = Exclude<JournalEntry, { readonly kind: 'topic' | 'topicDeleted' | 'logStart' }>

const apply = (broker: JournaledState, entry: SimpleEntry): void => {
  const { groups, transactions } = broker
  switch (entry.kind) {
    case 'cluster':
      broker.clusterId = entry.clusterId
      return
    case 'producerIds':
      broker.nextProducerId = entry.next
      return
    case 'offset':
      groups.getOrCreate(entry.groupId).offsets.set(entry.topic, entry.partition, committedOf(entry))
      return
    case 'pendingOffset':
      groups
        .getOrCreate(entry.groupId)
        .addPending(entry.producerId, entry.topic, entry.partition, committedOf(entry))
      return
    case 'offsetDeleted':
      groups.getOrCreate(entry.groupId).offsets.delete(entry.topic, entry.partition)
      return
    case 'groupDeleted':
      groups.groups.delete(entry.groupId)
      return
    case 'transaction':
      transactions.restore(transactionOf(entry))
      // What a finished transaction had pending was settled with it.
      if (entry.state === 'CompleteCommit' || entry.state === 'CompleteAbort')
        for (const group of groups.groups.values()) group.transactionalOffsets.delete(entry.producerId)
  }
}

const committedOf = ({
  offset,
  leaderEpoch,
  metadata,
}: OffsetEntry): Pick<OffsetEntry, 'offset' | 'leaderEpoch' | 'metadata'> => ({
  offset,
  leaderEpoch,
  metadata,
})
