import type { TopologyDifference } from './difference.ts'
import { breaking, compareBy, compatible, pairRenamed } from './difference.ts'
import type { WorkflowExchangeSnapshot, WorkflowSnapshot, WorkflowStepSnapshot } from './workflow-snapshot.ts'

/** What a deployment does to sagas that are under way: they are stored by the names of their steps. */
export const workflowDifferences = (
  before: readonly WorkflowSnapshot[] = [],
  after: readonly WorkflowSnapshot[] = [],
): readonly TopologyDifference[] => {
  const { removed, added, kept } = compareBy(({ name }) => name, before, after)
  return [
    ...removed.map(({ name }) =>
      breaking(
        'SAGA_REMOVED',
        name,
        `saga '${name}' is gone, and those under way stay where they are`,
        'let them end first, with a version that starts no new ones',
      ),
    ),
    ...added.map(({ name }) => compatible('SAGA_ADDED', name, `saga '${name}' is new`)),
    ...kept.flatMap(([old, now]) => stepDifferences(old, now)),
  ]
}

const stepDifferences = (
  before: WorkflowSnapshot,
  after: WorkflowSnapshot,
): readonly TopologyDifference[] => {
  const alike = (old: WorkflowStepSnapshot, now: WorkflowStepSnapshot): boolean =>
    old.command.topic === now.command.topic
  const { removed, added, kept, renamed } = pairRenamed(
    compareBy(({ name }) => name, before.steps, after.steps),
    alike,
  )
  const saga = after.name
  return [
    ...renamed.map(([old, now]) =>
      breaking(
        'SAGA_STEP_RENAMED',
        saga,
        `step '${old.name}' of saga '${saga}' is called '${now.name}': sagas under way go on only if their state holds the topic of its command, and are refused otherwise`,
        `keep the name '${old.name}', or let the sagas under way end first`,
      ),
    ),
    ...removed.map(({ name }) =>
      breaking(
        'SAGA_STEP_REMOVED',
        saga,
        `step '${name}' of saga '${saga}' is gone: sagas that wait there or have done it can neither go on nor undo it`,
        'keep the step until the sagas under way have ended',
      ),
    ),
    ...added.map(({ name }) =>
      compatible('SAGA_STEP_ADDED', saga, `step '${name}' of saga '${saga}' is new`),
    ),
    ...orderDifferences(before, after),
    ...kept.flatMap(([old, now]) => changeDifferences(saga, old, now)),
  ]
}

const orderDifferences = (
  before: WorkflowSnapshot,
  after: WorkflowSnapshot,
): readonly TopologyDifference[] => {
  const saga = after.name
  const names = (of: WorkflowSnapshot, other: WorkflowSnapshot): readonly string[] =>
    of.steps.map(({ name }) => name).filter((name) => other.steps.some((step) => step.name === name))
  const [old, now] = [names(before, after), names(after, before)]
  const moved = old.filter((name, position) => now[position] !== name)
  return moved.length === 0
    ? []
    : [
        breaking(
          'SAGA_STEPS_REORDERED',
          saga,
          `the steps of saga '${saga}' have another order: sagas under way would skip or repeat some`,
          'keep the order, or let the sagas under way end first',
        ),
      ]
}

const changeDifferences = (
  saga: string,
  old: WorkflowStepSnapshot,
  now: WorkflowStepSnapshot,
): readonly TopologyDifference[] => {
  const step = `step '${now.name}' of saga '${saga}'`
  const unread = (['command', 'undo'] as const).flatMap((exchange) =>
    (old[exchange]?.replies ?? [])
      .filter((topic) => !(now[exchange]?.replies ?? []).includes(topic))
      .map((topic) =>
        breaking(
          'SAGA_REPLY_REMOVED',
          saga,
          `${step} no longer reads replies from '${topic}': those to commands under way are lost`,
          'keep reading the old topic until the sagas under way have ended',
        ),
      ),
  )
  return [
    ...unread,
    ...(old.undo !== null && now.undo === null
      ? [
          breaking(
            'SAGA_UNDO_REMOVED',
            saga,
            `${step} cannot be undone any more: sagas under way that have done it cannot be taken back`,
            'keep its undo until the sagas under way have ended',
          ),
        ]
      : []),
    ...(old.kind === now.kind
      ? []
      : [compatible('SAGA_STEP_CHANGED', saga, `${step} was ${old.kind} and is ${now.kind}`)]),
    ...exchangeDifferences(saga, step, 'command', old.command, now.command),
    ...(old.undo === null || now.undo === null
      ? []
      : exchangeDifferences(saga, step, 'undo', old.undo, now.undo)),
  ]
}

/** What applies to the next command: none of it changes what sagas under way have stored. */
const exchangeDifferences = (
  saga: string,
  step: string,
  what: 'command' | 'undo',
  old: WorkflowExchangeSnapshot,
  now: WorkflowExchangeSnapshot,
): readonly TopologyDifference[] => {
  const parts = [
    ['topic', old.topic, now.topic],
    ['timeoutMs', old.timeoutMs, now.timeoutMs],
    ['attempts', old.attempts, now.attempts],
  ] as const
  return parts
    .filter(([, before, after]) => before !== after)
    .map(([part, before, after]) =>
      compatible(
        'SAGA_STEP_CHANGED',
        saga,
        `${part} of the ${what} of ${step} was ${before} and is ${after}`,
      ),
    )
}
