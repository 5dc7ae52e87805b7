import type { TopologyDifference } from './difference.ts'
import { areBothJson, schemaDifferences } from './diff-schemas.ts'
import type { Format, Meeting } from './diff-schemas.ts'
import { breaking, compareBy, compatible, pairRenamed } from './difference.ts'
import type { RepartitionSnapshot, SinkSnapshot, SourceSnapshot, TopologySnapshot } from './snapshot.ts'

/** What changes for the topics that a running application reads, writes and keeps for itself. */
export const topicDifferences = (
  before: TopologySnapshot,
  after: TopologySnapshot,
): readonly TopologyDifference[] => [
  ...sourceDifferences(before.sources, after.sources),
  ...sinkDifferences(before.sinks, after.sinks),
  ...repartitionDifferences(before.repartitions, after.repartitions),
]

const sourceDifferences = (
  before: readonly SourceSnapshot[],
  after: readonly SourceSnapshot[],
): readonly TopologyDifference[] => {
  const { removed, added, kept } = compareBy(({ topic, as }) => `${as} of ${topic}`, before, after)
  return [
    ...removed.map(({ topic, as }) =>
      breaking(
        'SOURCE_REMOVED',
        topic,
        `topic '${topic}' is no longer read as a ${as}: what comes there is not processed`,
        'let the old version read it to its end first, and make sure that no consumer depends on it',
      ),
    ),
    ...added.map(({ topic, as }) =>
      compatible(
        'SOURCE_ADDED',
        topic,
        `topic '${topic}' is read as a ${as}, from where the offset reset says`,
      ),
    ),
    ...kept.flatMap(([old, now]) =>
      formatDifferences(`topic '${now.topic}'`, now.topic, old, now, 'read').concat(
        partitionDifferences(`topic '${now.topic}'`, now.topic, old, now),
      ),
    ),
  ]
}

const sinkDifferences = (
  before: readonly SinkSnapshot[],
  after: readonly SinkSnapshot[],
): readonly TopologyDifference[] => {
  const { removed, added, kept } = compareBy(({ topic }) => topic, before, after)
  return [
    ...removed.map(({ topic }) =>
      breaking(
        'SINK_REMOVED',
        topic,
        `nothing is written to topic '${topic}' any more`,
        'see that its readers can do without',
      ),
    ),
    ...added.map(({ topic }) => compatible('SINK_ADDED', topic, `topic '${topic}' is written`)),
    ...kept.flatMap(([old, now]) =>
      formatDifferences(`topic '${now.topic}'`, now.topic, old, now, 'written'),
    ),
  ]
}

const repartitionDifferences = (
  before: readonly RepartitionSnapshot[],
  after: readonly RepartitionSnapshot[],
): readonly TopologyDifference[] => {
  const alike = (old: RepartitionSnapshot, now: RepartitionSnapshot): boolean =>
    old.key === now.key && old.value === now.value
  const { removed, added, kept, renamed } = pairRenamed(
    compareBy(({ topic }) => topic, before, after),
    alike,
  )
  const drain = 'let the old version process what lies in it to the end, then delete it'
  return [
    ...renamed.map(([old, now]) =>
      breaking(
        'REPARTITION_RENAMED',
        now.topic,
        `the internal topic was called '${old.topic}': what still lies in it is not processed`,
        `give it its old name back; else ${drain}`,
      ),
    ),
    ...removed.map(({ topic }) =>
      breaking(
        'REPARTITION_REMOVED',
        topic,
        `what still lies in the internal topic '${topic}' is not processed`,
        drain,
      ),
    ),
    ...added.map(({ topic }) =>
      breaking(
        'REPARTITION_ADDED',
        topic,
        `records go through the internal topic '${topic}' from now on: state behind it was partitioned by the key before it`,
        'build the state behind it again: run millrace reset FILE --execute, or give the stores and the application new names',
      ),
    ),
    ...kept.flatMap(([old, now]) =>
      formatDifferences(`internal topic '${now.topic}'`, now.topic, old, now, 'stored').concat(
        partitionDifferences(`internal topic '${now.topic}'`, now.topic, old, now),
      ),
    ),
  ]
}

const formatDifferences = (
  what: string,
  subject: string,
  old: Format,
  now: Format,
  meeting: Meeting,
): readonly TopologyDifference[] => [
  ...(['key', 'value'] as const)
    .filter((part) => old[part] !== now[part] && !areBothJson(part, old, now))
    .map((part) =>
      breaking(
        'SERDE_CHANGED',
        subject,
        `the ${part}s of ${what} were '${old[part]}' and are '${now[part]}': what ${misread[meeting]} in the old form is misread`,
        'if the bytes are the same, go on; else use a new topic, or a serde that reads both forms',
      ),
    ),
  ...schemaDifferences(what, subject, old, now, meeting),
]

const misread: Readonly<Record<Meeting, string>> = {
  read: 'was written',
  written: 'is read',
  stored: 'still lies in it',
}

const partitionDifferences = (
  what: string,
  subject: string,
  old: { readonly partitions: number | null },
  now: { readonly partitions: number | null },
): readonly TopologyDifference[] =>
  old.partitions === now.partitions
    ? []
    : [
        breaking(
          'PARTITIONS_CHANGED',
          subject,
          `${what} had ${counted(old.partitions)} and has ${counted(now.partitions)}: keys move to other tasks, their state does not`,
          'keep the count; to scale, write to a new topic of the new size and build the state from it',
        ),
      ]

const counted = (partitions: number | null): string =>
  partitions === null ? 'as many partitions as its input' : `${partitions} partitions`
