import type { ValueKind } from '../base/options.ts'
import { checkArgument } from '../base/options.ts'
import { stepDifferences } from './diff-steps.ts'
import { storeDifferences } from './diff-stores.ts'
import { topicDifferences } from './diff-topics.ts'
import { workflowDifferences } from './diff-workflows.ts'
import type { TopologyDifference } from './difference.ts'
import { breaking } from './difference.ts'
import type { TopologySnapshot } from './snapshot.ts'
import { snapshotOf } from './snapshot.ts'
import type { Topology } from './topology.ts'
import { topologyKind } from './topology-kind.ts'

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
  checkArgument('diffTopologies: before', before, topologyOrSnapshot)
  checkArgument('diffTopologies: after', after, topologyOrSnapshot)
  const [old, now] = [snapshot(before), snapshot(after)]
  const differences = [
    ...nameDifferences(old, now),
    ...topicDifferences(old, now),
    ...storeDifferences(old, now),
    ...stepDifferences(old.steps, now.steps),
    ...workflowDifferences(old.workflows, now.workflows),
  ]
  return [
    ...differences.filter(({ effect }) => effect === 'breaking'),
    ...differences.filter(({ effect }) => effect === 'compatible'),
  ]
}

const topologyOrSnapshot: ValueKind = {
  needs: 'a topology, or the snapshot of one',
  example: 'snapshotOf(payment)',
  accepts: (value) => topologyKind.accepts(value) || isSnapshot(value as Partial<TopologySnapshot> | null),
}

const isSnapshot = (value: Partial<TopologySnapshot> | null | undefined): boolean =>
  typeof value?.name === 'string' && Array.isArray(value.sources) && Array.isArray(value.steps)

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
