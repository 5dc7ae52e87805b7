import type { TopologyDifference } from './difference.ts'
import { breaking, compareBy, compatible, pairRenamed } from './difference.ts'
import { storeDifferences } from './diff-stores.ts'
import type {
  RepartitionSnapshot,
  SinkSnapshot,
  SourceSnapshot,
  StepSnapshot,
  TopologySnapshot,
} from './snapshot.ts'
import { snapshotOf } from './snapshot.ts'
import type { Topology } from './topology.ts'

/**
 * What changes for a running application when `after` is deployed over `before`, the breaking differences first, each
 * with what to do. Either may be a topology or the snapshot of one, so that a version in the repository, as JSON, can be
 * compared with the code. Functions are not compared.
 *
 * @example
 * const breaking = diffTopologies(JSON.parse(stored), payment).filter(({ effect }) => effect === 'breaking')
 */
export const diffTopologies = (
  before: Topology | TopologySnapshot,
  after: Topology | TopologySnapshot,
): readonly TopologyDifference[] => {
  const [old, now] = [snapshot(before), snapshot(after)]
  const differences = [
    ...nameDifferences(old, now),
    ...sourceDifferences(old.sources, now.sources),
    ...sinkDifferences(old.sinks, now.sinks),
    ...repartitionDifferences(old.repartitions, now.repartitions),
    ...storeDifferences(old, now),
    ...stepDifferences(old.steps, now.steps),
  ]
  return [
    ...differences.filter(({ effect }) => effect === 'breaking'),
    ...differences.filter(({ effect }) => effect === 'compatible'),
  ]
}

const snapshot = (topology: Topology | TopologySnapshot): TopologySnapshot =>
  'nodes' in topology ? snapshotOf(topology) : topology

const nameDifferences = (old: TopologySnapshot, now: TopologySnapshot): readonly TopologyDifference[] =>
  old.name === now.name
    ? []
    : [
        breaking(
          'APPLICATION_RENAMED',
          now.name,
          `the topology was called '${old.name}': its committed offsets, changelogs and repartition topics stay under that name`,
          `give it its old name back, or start it as a new application and retire '${old.name}'`,
        ),
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
        'let the old version read it to its end first, and make sure nobody counts on it',
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
      serdeDifferences(`topic '${now.topic}'`, now.topic, old, now, 'was written').concat(
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
        'see that whoever reads it can do without',
      ),
    ),
    ...added.map(({ topic }) => compatible('SINK_ADDED', topic, `topic '${topic}' is written`)),
    ...kept.flatMap(([old, now]) => serdeDifferences(`topic '${now.topic}'`, now.topic, old, now, 'is read')),
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
        'build the state behind it anew: reset the application, or give the stores and the application new names',
      ),
    ),
    ...kept.flatMap(([old, now]) =>
      serdeDifferences(`internal topic '${now.topic}'`, now.topic, old, now, 'still lies in it').concat(
        partitionDifferences(`internal topic '${now.topic}'`, now.topic, old, now),
      ),
    ),
  ]
}

type Format = Pick<SinkSnapshot, 'key' | 'value'>

const serdeDifferences = (
  what: string,
  subject: string,
  old: Format,
  now: Format,
  otherwise: string,
): readonly TopologyDifference[] =>
  (['key', 'value'] as const)
    .filter((part) => old[part] !== now[part])
    .map((part) =>
      breaking(
        'SERDE_CHANGED',
        subject,
        `the ${part}s of ${what} were '${old[part]}' and are '${now[part]}': what ${otherwise} in the old form is misread`,
        'if the bytes are the same, go on; else use a new topic, or a serde that reads both forms',
      ),
    )

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

/** Named steps are compared by name; of the others only which verbs come and go is said. */
const stepDifferences = (
  before: readonly StepSnapshot[],
  after: readonly StepSnapshot[],
): readonly TopologyDifference[] => {
  const identified = (steps: readonly StepSnapshot[]): readonly (StepSnapshot & { id: string })[] => {
    const counts = new Map<string, number>()
    return steps.map((step) => {
      const kind = step.name ?? `${step.verb} of ${step.stores.join(', ') || 'records'}`
      const count = (counts.get(kind) ?? 0) + 1
      counts.set(kind, count)
      return { ...step, id: count === 1 ? kind : `${kind} (${count})` }
    })
  }
  const { removed, added, kept } = compareBy(({ id }) => id, identified(before), identified(after))
  return [
    ...removed.map(({ id }) => compatible('STEP_REMOVED', id, `step '${id}' is gone`)),
    ...added.map(({ id }) => compatible('STEP_ADDED', id, `step '${id}' is new`)),
    ...kept.flatMap(([old, now]) => verbDifferences(old, now).concat(lengthDifferences(old, now))),
  ]
}

type Step = StepSnapshot & { readonly id: string }

const verbDifferences = (old: Step, now: Step): readonly TopologyDifference[] => [
  ...(old.verb === now.verb
    ? []
    : [compatible('STEP_CHANGED', now.id, `step '${now.id}' was a ${old.verb} and is a ${now.verb}`)]),
  ...(old.emit === now.emit
    ? []
    : [compatible('EMIT_CHANGED', now.id, `step '${now.id}' emitted ${old.emit} and emits ${now.emit}`)]),
]

/** Grace only decides on records to come; every other length is part of what windows and their keys mean. */
const lengthDifferences = (old: Step, now: Step): readonly TopologyDifference[] =>
  [...new Set([...Object.keys(old.lengths), ...Object.keys(now.lengths)])]
    .filter((name) => old.lengths[name] !== now.lengths[name])
    .map((name) => {
      const change = `${name} of '${now.id}' was ${old.lengths[name] ?? 'not set'} and is ${now.lengths[name] ?? 'not set'}`
      if (!windowLengths.has(name)) return compatible('LENGTH_CHANGED', now.id, change)
      return breaking(
        'WINDOW_CHANGED',
        now.id,
        `${change}: windows already kept have the old bounds`,
        'give the step a new store name, so that its windows begin anew, or reset the application',
      )
    })

const windowLengths: ReadonlySet<string> = new Set([
  'sizeMs',
  'advanceMs',
  'differenceMs',
  'gapMs',
  'beforeMs',
  'afterMs',
])
