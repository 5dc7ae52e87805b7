import { Fault } from '../base/fault.ts'
import type { Cluster } from '../kafka/cluster.ts'
import { Fetcher } from '../kafka/fetcher.ts'
import { listOffsets } from '../kafka/list-offsets.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { StateStore } from '../state/store.ts'
import type { RecordColumns } from '../topic/record-columns.ts'

/** One store to bring up to the end of its changelog partition. */
export interface Restoration {
  readonly store: StateStore
  readonly topic: string
  readonly partition: number
  /**
   * Where to stop: where a topic of the world serves as the changelog, what is beyond the committed offset is yet to be
   * processed. The end of the partition unless given.
   */
  readonly upToOffset?: number | undefined
}

export interface RestoreProgress {
  readonly store: string
  readonly partition: number
  /** Where the state that was found left off, and where it will be ready. */
  readonly startingOffset: number
  readonly endingOffset: number
  readonly restoredRecords: number
  /** Records between what is restored and the end; 0 when the store is ready. */
  readonly remainingRecords: number
}

interface Running extends Restoration {
  position: number
  readonly startOffset: number
  readonly endOffset: number
  restoredRecords: number
}

/**
 * Brings stores up to the end of their changelogs, all of them at once over one fetcher. The end is the offset of the
 * last record when the restoration begins: nobody writes to these partitions meanwhile, as their task is ours. Control
 * records and compacted offsets count by position, so a changelog that ends in a marker is finished too.
 *
 * The end counts open transactions in, and the restoration waits for them: behind the records of an owner that died or
 * hangs may lie final ones of an owner after it.
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
    const columns = upTo(each.endOffset, batch.columns)
    applyBatch(each, columns)
    each.restoredRecords += columns.count
    each.position = Math.min(batch.nextOffset, each.endOffset)
    if (each.position >= each.endOffset) {
      pending.delete(place)
      fetcher.remove([batch])
    }
    onProgress(progressOf(each))
  }
}

/** The records of a batch before an offset. */
const upTo = (endOffset: number, columns: RecordColumns): RecordColumns => {
  const { offsets, count } = columns
  if (count === 0 || (offsets[count - 1] as number) < endOffset) return columns
  return { ...columns, count: offsets.subarray(0, count).findIndex((offset) => offset >= endOffset) }
}

const applyBatch = (each: Running, columns: RecordColumns): void => {
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
  )
  const starts = await listOffsets(
    cluster,
    restorations.map(({ topic, partition }) => ({ topic, partition, at: 'earliest' as const })),
  )
  return new Map(
    restorations.map((each) => {
      const place = partitionName(each.topic, each.partition)
      const position = Math.max(each.store.changelogOffset(), starts.get(place)?.offset ?? 0)
      const endOffset = Math.min(ends.get(place)?.offset ?? 0, each.upToOffset ?? Infinity)
      return [place, { ...each, position, startOffset: position, endOffset, restoredRecords: 0 }]
    }),
  )
}

const progressOf = ({
  store,
  partition,
  restoredRecords,
  startOffset,
  endOffset,
  position,
}: Running): RestoreProgress => ({
  store: store.name,
  partition,
  startingOffset: startOffset,
  endingOffset: endOffset,
  restoredRecords,
  remainingRecords: Math.max(0, endOffset - position),
})
