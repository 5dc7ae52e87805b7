import type { ValueKind } from '../base/options.ts'
import { anyObject, wholeNumber } from '../base/value-kinds.ts'
import { Fault } from '../base/fault.ts'
import type { Admin } from '../kafka/admin.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'

/**
 * Where a reset sends a group: the oldest record, the end, the first record at or after a time (`datetimeMs`, since the
 * epoch) or of so long ago (`durationMs`), or an offset.
 */
export type ResetTarget =
  | 'earliest'
  | 'latest'
  | { readonly datetimeMs: number }
  | { readonly durationMs: number }
  | { readonly offset: number }

export const resetTarget: ValueKind = {
  needs: "'earliest', 'latest', { datetimeMs }, { durationMs } or { offset }",
  accepts: (value) => {
    if (value === 'earliest' || value === 'latest') return true
    const entries = anyObject.accepts(value) ? Object.entries(value as object) : []
    const [name, number] = entries[0] ?? []
    return (
      entries.length === 1 &&
      ['datetimeMs', 'durationMs', 'offset'].includes(name ?? '') &&
      wholeNumber.accepts(number)
    )
  },
}

/** The old and the new committed offset of one input partition. */
export interface OffsetMove extends TopicPartition {
  /** What the group has committed; undefined where nothing. */
  readonly from: number | undefined
  readonly to: number
}

/** The offsets that a group is to have, within what each partition holds; where no record is so young, its end. */
export const movesTo = async (
  admin: Admin,
  groupId: string,
  topics: readonly string[],
  target: ResetTarget,
  nowMs: number,
): Promise<readonly OffsetMove[]> => {
  const partitions = await partitionsOf(admin, topics)
  const committed = await admin.groupOffsets(groupId)
  const at = async (spec: 'earliest' | 'latest' | { readonly timestamp: number }) =>
    admin.listOffsets(partitions.map((each) => ({ ...each, at: spec })))
  const [starts, ends] = [await at('earliest'), await at('latest')]
  const timestamp = timestampOf(target, nowMs)
  const found = timestamp === undefined ? undefined : await at({ timestamp })
  return partitions.map(({ topic, partition }) => {
    const place = partitionName(topic, partition)
    const start = starts.get(place)?.offset ?? 0
    const end = ends.get(place)?.offset ?? 0
    const wanted = found?.get(place)?.offset ?? offsetOf(target, start, end)
    const to = wanted < 0 ? end : Math.max(start, Math.min(end, wanted))
    return { topic, partition, from: committed.get(place)?.offset, to }
  })
}

const timestampOf = (target: ResetTarget, nowMs: number): number | undefined => {
  if (typeof target === 'string' || 'offset' in target) return undefined
  return 'datetimeMs' in target ? target.datetimeMs : nowMs - target.durationMs
}

const offsetOf = (target: ResetTarget, start: number, end: number): number => {
  if (target === 'earliest') return start
  return typeof target === 'object' && 'offset' in target ? target.offset : end
}

const partitionsOf = async (admin: Admin, topics: readonly string[]): Promise<readonly TopicPartition[]> => {
  const counts = await admin.partitionCounts(topics)
  return topics.flatMap((topic) => {
    const count = counts.get(topic)
    if (count === undefined) throw missingTopic(topic)
    return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
  })
}

const missingTopic = (topic: string): Fault =>
  new Fault({
    code: 'TOPIC_MISSING',
    actor: 'author',
    message: `input topic '${topic}' does not exist`,
    remedy: 'name those that do with --input-topics',
    place: { topic },
  })
