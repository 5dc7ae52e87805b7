import { hours } from '../base/duration.ts'
import type { PartitionCounts } from '../topology/partition-counts.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import { subTopologiesOf } from '../topology/sub-topologies.ts'
import type { Topology } from '../topology/topology.ts'

/** A topic of the application's own: what it is called and how it is to be created. */
export interface InternalTopic {
  readonly name: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}

/**
 * The repartition and changelog topics an application needs, named and configured as Kafka Streams names and configures
 * them, so that its tools and its own applications get on with them.
 */
export const internalTopicsOf = (
  topology: Topology,
  applicationId: string,
  counts: PartitionCounts,
): readonly InternalTopic[] => [
  ...[...counts.repartitions].map(([topic, partitions]) => ({
    name: `${applicationId}-${topic}`,
    partitions,
    configs: repartitionConfigs,
  })),
  ...subTopologiesOf(topology).flatMap(({ index, stores }) =>
    stores.filter(ownsChangelog).map((store) => ({
      name: changelogTopicOf(applicationId, store),
      partitions: counts.tasks[index] as number,
      configs: changelogConfigs(store),
    })),
  ),
]

/** Only the names, which need no cluster to be known. */
export const internalTopicNamesOf = (topology: Topology, applicationId: string): readonly string[] => [
  ...new Set(
    subTopologiesOf(topology).flatMap(({ reads, stores }) => [
      ...reads.map(({ topic }) => `${applicationId}-${topic}`),
      ...stores.filter(ownsChangelog).map((store) => changelogTopicOf(applicationId, store)),
    ]),
  ),
]

/** The topic a store is restored from. */
export const changelogTopicOf = (applicationId: string, store: StoreDefinition): string =>
  store.changelogTopic ?? `${applicationId}-${store.name}-changelog`

const ownsChangelog = (store: StoreDefinition): boolean =>
  store.changelog && store.changelogTopic === undefined

const createTime = { 'message.timestamp.type': 'CreateTime' }
/** Kafka Streams' `windowstore.changelog.additional.retention.ms`: late restores still find what a store would hold. */
const additionalRetentionMs = hours(24)

/** Records leave a repartition topic when they have been processed, never by age. */
const repartitionConfigs = {
  ...createTime,
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'segment.bytes': String(50 * 1024 * 1024),
}

const changelogConfigs = (store: StoreDefinition): Readonly<Record<string, string>> => {
  switch (store.kind) {
    case 'keyValue':
      return { ...createTime, 'cleanup.policy': 'compact' }
    case 'versioned':
      return {
        ...createTime,
        'cleanup.policy': 'compact',
        'min.compaction.lag.ms': String(store.historyRetentionMs + additionalRetentionMs),
      }
    case 'window':
    case 'session':
      return {
        ...createTime,
        'cleanup.policy': 'compact,delete',
        'retention.ms': String((store.changelogRetentionMs ?? store.retentionMs) + additionalRetentionMs),
      }
    case 'joinWindow':
      return {
        ...createTime,
        'cleanup.policy': 'delete',
        'retention.ms': String(store.retentionMs + additionalRetentionMs),
      }
  }
}
