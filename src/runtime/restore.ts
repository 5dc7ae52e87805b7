import { Fault } from '../base/fault.ts'
import type { Cluster } from '../kafka/cluster.ts'
import { Fetcher } from '../kafka/fetcher.ts'
import { listOffsets } from '../kafka/list-offsets.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { StateStore } from '../state/store.ts'

/** One store to bring up to the end of its changelog partition. */
export interface Restoration {
  readonly store: StateStore
  readonly topic: string
  readonly partition: number
}

export interface RestoreProgress {
  readonly store: string
  readonly partition: number
  readonly restoredRecords: number
  /** Records between what is restored and the end; 0 when the store is ready. */
  readonly remainingRecords: number
}

interface Running extends Restoration {
  position: number
  readonly endOffset: number
  restoredRecords: number
}

/**
 * Brings stores up to the end of their changelogs, all of them at once over one fetcher. The end is the offset of the
 * last record when the restoration begins: nobody writes to these partitions meanwhile, as their task is ours. Control
 * records and compacted offsets count by position, so a changelog that ends in a marker is finished too.
 */
export const restoreStores = async (
  cluster: Cluster,
  restorations: readonly Restoration[],
  onProgress: (progress: RestoreProgress) => void = () => {},
  signal?: AbortSignal,
): Promise<void> => {
  if (restorations.length === 0) return
  const running = await begin(cluster, restorations)
  const pending = new Map([...running].filter(([, each]) => each.position < each.endOffset))
  for (const each of running.values()) onProgress(progressOf(each))
  const fetcher = new Fetcher({
    cluster,
    name: 'restore',
    offsetReset: 'earliest',
    isolation: 'read_committed',
  })
  try {
    fetcher.assign(
      Array.from(pending.values(), ({ topic, partition, position }) => ({
        topic,
        partition,
        offset: position,
      })),
    )
    while (pending.size > 0 && signal?.aborted !== true) await restoreOnce(fetcher, pending, onProgress)
  } finally {
    fetcher.close()
  }
}

const pollWaitMs = 500

const restoreOnce = async (
  fetcher: Fetcher,
  pending: Map<string, Running>,
  onProgress: (progress: RestoreProgress) => void,
): Promise<void> => {
  for (const batch of await fetcher.poll(pollWaitMs)) {
    const place = partitionName(batch.topic, batch.partition)
    const each = pending.get(place)
    if (each === undefined) continue
    applyBatch(each, batch.columns)
    each.restoredRecords += batch.columns.count
    each.position = batch.nextOffset
    if (each.position >= each.endOffset) {
      pending.delete(place)
      fetcher.remove([batch])
    }
    onProgress(progressOf(each))
  }
}

const applyBatch = (each: Running, columns: Parameters<StateStore['restore']>[0]): void => {
  try {
    each.store.restore(columns)
  } catch (cause) {
    throw new Fault({
      code: 'RESTORE_FAILED',
      actor: 'runtime',
      message: `store '${each.store.name}' can't read its changelog`,
      remedy:
        'the schema of its values may have changed: reset the application, or give the store a new name',
      place: { topic: each.topic, partition: each.partition, offset: each.position, store: each.store.name },
      cause,
    })
  }
}

const begin = async (
  cluster: Cluster,
  restorations: readonly Restoration[],
): Promise<ReadonlyMap<string, Running>> => {
  const ends = await listOffsets(
    cluster,
    restorations.map(({ topic, partition }) => ({ topic, partition, at: 'latest' as const })),
    'read_committed',
  )
  const starts = await listOffsets(
    cluster,
    restorations.map(({ topic, partition }) => ({ topic, partition, at: 'earliest' as const })),
  )
  return new Map(
    restorations.map((each) => {
      const place = partitionName(each.topic, each.partition)
      const position = Math.max(each.store.changelogOffset(), starts.get(place)?.offset ?? 0)
      return [place, { ...each, position, endOffset: ends.get(place)?.offset ?? 0, restoredRecords: 0 }]
    }),
  )
}

const progressOf = ({
  store,
  partition,
  restoredRecords,
  endOffset,
  position,
}: Running): RestoreProgress => ({
  store: store.name,
  partition,
  restoredRecords,
  remainingRecords: Math.max(0, endOffset - position),
})
