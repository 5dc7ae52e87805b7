import { checkArgument } from '../base/options.ts'
import type { AnySerde, JsonSchema } from '../topic/serde.ts'
import { sinkTopicOf, topicsOf } from './describe.ts'
import type { NodeOf, TopologyNode } from './node.ts'
import { verbOf } from './picture.ts'
import type { StoreDefinition } from './store-definition.ts'
import { subTopologiesOf } from './sub-topologies.ts'
import type { Topology } from './topology.ts'
import { storesOf } from './topology.ts'
import { topologyKind } from './topology-kind.ts'
import type { WorkflowSnapshot } from './workflow-snapshot.ts'

/**
 * What of a topology outlives its process: the names and formats of its topics and stores, and the shapes of its
 * windows and values, as plain JSON. Kept beside the code, it is what the next version is compared with. Functions are
 * not part of it.
 */
export interface TopologySnapshot {
  readonly name: string
  readonly owner?: string | null
  readonly sources: readonly SourceSnapshot[]
  readonly sinks: readonly SinkSnapshot[]
  readonly repartitions: readonly RepartitionSnapshot[]
  readonly stores: readonly StoreSnapshot[]
  readonly steps: readonly StepSnapshot[]
  readonly workflows?: readonly WorkflowSnapshot[]
}

/** The JSON SnapshotSchemas of keys and values; null where they are not JSON, absent in snapshots of older versions. */
export interface SnapshotSchemas {
  readonly keySchema?: JsonSchema | null
  readonly valueSchema?: JsonSchema | null
}

/** An input topic in a snapshot, with the names of its serdes. */
export interface SourceSnapshot extends SnapshotSchemas {
  /** A topic, or the pattern of several. */
  readonly topic: string
  readonly as: 'stream' | 'table' | 'global table'
  readonly key: string
  readonly value: string
  /** From the contract; null where it leaves them to the broker. */
  readonly partitions: number | null
  /** The service that answers for the topic's contract. */
  readonly owner?: string | null
}

/** An output topic in a snapshot, with the names of its serdes. */
export interface SinkSnapshot extends SnapshotSchemas {
  readonly topic: string
  readonly key: string
  readonly value: string
}

/** A repartition topic in a snapshot: its name without the application id, its serdes and its number of partitions. */
export interface RepartitionSnapshot extends SnapshotSchemas {
  readonly topic: string
  readonly key: string
  readonly value: string
  readonly partitions: number | null
}

/** A state store in a snapshot. Times are in milliseconds. */
export interface StoreSnapshot extends SnapshotSchemas {
  readonly name: string
  readonly kind: StoreDefinition['kind']
  readonly key: string
  readonly value: string
  /** The changelog's name without the application's: null where there is none. */
  readonly changelog: string | null
  readonly storage: 'memory' | 'disk'
  /** Of a window store or of a join's, where it has one. */
  readonly windowSizeMs: number | null
  readonly retentionMs: number | null
  readonly subTopology: number | null
}

/** A processing step in a snapshot, with its stores. */
export interface StepSnapshot {
  /** The author's name, or null where it was generated. */
  readonly name: string | null
  readonly verb: string
  readonly stores: readonly string[]
  /** Lengths of its windows and waits, by name. */
  readonly lengths: Readonly<Record<string, number>>
  readonly emit: string | null
}

/**
 * The snapshot of a topology.
 *
 * @example
 * import { writeFileSync } from 'node:fs'
 * writeFileSync('payment.snapshot.json', JSON.stringify(snapshotOf(payment)))
 */
export const snapshotOf = (topology: Topology): TopologySnapshot => {
  checkArgument('snapshotOf', topology, topologyKind)
  const homes = new Map(
    subTopologiesOf(topology).flatMap(({ index, stores }) =>
      stores.map(({ name }) => [name, index] as const),
    ),
  )
  const ofKind = <Kind extends TopologyNode['kind']>(kind: Kind): readonly NodeOf<Kind>[] =>
    topology.nodes.filter((node): node is NodeOf<Kind> => node.kind === kind)
  return {
    name: topology.name,
    owner: topology.owner ?? null,
    sources: [...ofKind('source').flatMap(streamSources), ...ofKind('tableSource').map(tableSource)],
    sinks: ofKind('sink').map((node) => ({
      topic: sinkTopicOf(node),
      key: serdeName(node.key),
      value: serdeName(node.value),
      ...schemasOf(node),
    })),
    repartitions: ofKind('repartition').map(({ topic, key, value, partitions }) => ({
      topic,
      key: key.name,
      value: value.name,
      ...schemasOf({ key, value }),
      partitions: partitions ?? null,
    })),
    stores: topology.stores.map((store) => storeSnapshot(store, homes.get(store.name) ?? null)),
    steps: topology.nodes.filter((node) => !edgeKinds.has(node.kind)).map(stepSnapshot),
    workflows: ofKind('process').flatMap(({ workflow }) => (workflow === undefined ? [] : [workflow])),
  }
}

const edgeKinds: ReadonlySet<TopologyNode['kind']> = new Set(['source', 'tableSource', 'sink', 'repartition'])

const streamSources = (node: NodeOf<'source'>): readonly SourceSnapshot[] => {
  const { topics, key, value } = node
  const all =
    topics instanceof RegExp ? [{ name: topicsOf(node), partitions: undefined, owner: undefined }] : topics
  return all.map(({ name, partitions, owner }) => ({
    topic: name,
    as: 'stream',
    key: key.name,
    value: value.name,
    ...schemasOf({ key, value }),
    partitions: partitions ?? null,
    owner: owner ?? null,
  }))
}

const tableSource = ({ topic, global }: NodeOf<'tableSource'>): SourceSnapshot => ({
  topic: topic.name,
  as: global ? 'global table' : 'table',
  key: topic.key.name,
  value: topic.value.name,
  ...schemasOf(topic),
  partitions: topic.partitions ?? null,
  owner: topic.owner ?? null,
})

const storeSnapshot = (store: StoreDefinition, subTopology: number | null): StoreSnapshot => ({
  name: store.name,
  kind: store.kind,
  key: store.key.name,
  value: store.value.name,
  ...schemasOf(store),
  changelog: store.changelogTopic ?? (store.changelog ? `${store.name}-changelog` : null),
  storage: store.storage,
  windowSizeMs: 'windowSizeMs' in store ? store.windowSizeMs : null,
  retentionMs:
    'retentionMs' in store
      ? store.retentionMs
      : 'historyRetentionMs' in store
        ? store.historyRetentionMs
        : null,
  subTopology,
})

const stepSnapshot = (node: TopologyNode): StepSnapshot => ({
  name: node.named === true ? node.name : null,
  verb: verbOf(node),
  stores: storesOf(node),
  lengths: lengthsOf({
    ...node,
    ...('windows' in node ? node.windows : {}),
    ...('until' in node ? node.until : {}),
  }),
  emit: 'emit' in node ? node.emit : null,
})

/** Every length in milliseconds a step was given. */
const lengthsOf = (fields: object): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => name.endsWith('Ms') && typeof value === 'number'),
  )

const schemasOf = ({
  key,
  value,
}: {
  readonly key?: Partial<AnySerde> | undefined
  readonly value?: Partial<AnySerde> | undefined
}): Required<SnapshotSchemas> => ({ keySchema: schemaOf(key), valueSchema: schemaOf(value) })

const schemaOf = (serde: Partial<AnySerde> | undefined): JsonSchema | null => serde?.jsonSchema?.() ?? null

/** Sinks need a serializer only, which may have no name. */
const serdeName = (serializer: object | undefined): string =>
  serializer !== undefined && 'name' in serializer && typeof serializer.name === 'string'
    ? serializer.name
    : 'unnamed'
