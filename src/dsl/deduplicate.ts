import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { nested, numberCheckedByReader, required, synchronous, text } from '../base/value-kinds.ts'
import { isDuration } from '../base/duration.ts'
import type { KeyValueRecord } from '../topic/record.ts'
import type { AnySerde, Serde } from '../topic/serde.ts'
import { bytes, string } from '../topic/serdes.ts'
import { serde, serdeSource } from '../topic/value-kinds.ts'
import type { NodeOf } from '../topology/node.ts'
import type { Position } from './graph.ts'
import type { Named, SerdeSource } from './options.ts'
import { optionalSerde, storeOptions } from './options.ts'
import { repartitioned } from './repartitioned.ts'
import { addSideOutputs } from './side-outputs.ts'
import type { Stream } from './stream.ts'

/** Options to find duplicates by their key. */
export interface DeduplicateByKeyOptions<K, V> extends Named {
  /** Keeps the ids seen; reaches the disk and the changelog topic, so it stays over deployments. */
  readonly store: string
  /** How long an id is remembered, in the time of the records. */
  readonly retention: number
  /** How key and value stand on a topic, where the steps before did not say. */
  readonly key?: Serde<NonNullable<K>>
  readonly value?: SerdeSource<NonNullable<V>>
  readonly storage?: 'memory' | 'disk'
  readonly changelog?: boolean
  /** What does not go on is counted, and may be taken up as streams too. */
  readonly dropped?: DuplicateSideOutputs<K, V>
}

/** What a deduplication leaves out, by reason. */
export interface DuplicateSideOutputs<K, V> {
  readonly duplicate?: (records: Stream<K, V>) => void
  /** Records so late that their twin may be forgotten. */
  readonly late?: (records: Stream<K, V>) => void
  /** Records without id. */
  readonly nullKey?: (records: Stream<K, V>) => void
}

/** Options to find duplicates by a text that is unique among the records of one key. */
export interface DeduplicateByTextOptions<K, V> extends DeduplicateByKeyOptions<K, V> {
  readonly id: (record: KeyValueRecord<K, V>) => string | null
  readonly idSerde?: Serde<string>
}

/** The same with an id that is no text. */
export interface DeduplicateByIdOptions<K, V, I> extends DeduplicateByKeyOptions<K, V> {
  readonly id: (record: KeyValueRecord<K, V>) => I | null
  readonly idSerde: Serde<I>
}

/** Adds the step and the store of the ids it has seen. */
export const deduplicateNode = (
  at: Position,
  options: DeduplicateByKeyOptions<never, never> & { readonly id?: unknown; readonly idSerde?: unknown },
): Position => {
  const { graph } = at
  checkOptions('deduplicate', options, deduplicateOptions)
  const { store, retention } = options
  if (!isDuration(retention) || retention < 1)
    graph.fault(
      'DEDUPLICATE_RETENTION_INVALID',
      `'${store}' remembers ids for ${String(retention)} ms`,
      'give a retention of at least one millisecond, in whole milliseconds',
    )
  const from = partitioned(at, options)
  const byKey = options.id === undefined
  graph.addStore({
    kind: 'window',
    name: store,
    key: byKey ? graph.keySerde(from.key) : ((options.idSerde ?? string) as AnySerde),
    value: bytes,
    changelog: options.changelog ?? true,
    storage: options.storage ?? 'disk',
    windowSizeMs: retention,
    // A record that is almost too late still has to find an id that was seen as long before it.
    retentionMs: retention * 2,
  })
  const node = graph.add('deduplicate', 'deduplicate', options.name, {
    from: [from.node],
    store,
    id: byKey ? ({ key }) => key : (options.id as NodeOf<'deduplicate'>['id']),
    retentionMs: retention,
  })
  addSideOutputs(from, node, options.dropped)
  return { ...from, node }
}

type AnyDeduplicateOptions = DeduplicateByKeyOptions<never, never> &
  Partial<Pick<DeduplicateByTextOptions<never, never>, 'id' | 'idSerde'>>

const deduplicateOptions: OptionShape<AnyDeduplicateOptions> = {
  ...storeOptions,
  name: text,
  // The node checks it.
  retention: required(numberCheckedByReader),
  key: serde,
  value: serdeSource,
  dropped: nested<DuplicateSideOutputs<never, never>>({
    duplicate: synchronous,
    late: synchronous,
    nullKey: synchronous,
  }),
  id: synchronous,
  idSerde: serde,
}

/** Where the key was changed, records of one key have to come together first. */
const partitioned = (at: Position, options: DeduplicateByKeyOptions<never, never>): Position => {
  const complete = {
    ...at,
    key: (options.key as AnySerde | undefined) ?? at.key,
    value: optionalSerde(options.value) ?? at.value,
  }
  if (!at.rekeyed) return complete
  return repartitioned(complete, 'repartition', options.name ?? options.store, {
    partitions: undefined,
    dropNullKeys: false,
  })
}
