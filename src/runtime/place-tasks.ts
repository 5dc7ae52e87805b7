import type { TaskId } from './assign-tasks.ts'
import { assignTasks } from './assign-tasks.ts'

/** A member of the group, by what it has of the tasks' state. */
export interface StateHolder {
  readonly memberId: string
  /** Copies of one task on one process are worth no more than one. */
  readonly processId: string
  /** The tasks it runs and has not given up. */
  readonly owned: ReadonlySet<TaskId>
  /** The tasks whose state it has but not whole, by how many records that is behind: copies, or still being restored. */
  readonly lags: ReadonlyMap<TaskId, number>
}

export interface StateSettings {
  readonly standbyReplicas: number
  readonly acceptableRecoveryLag: number
  readonly maxWarmupReplicas: number
}

/** The tasks of one member. */
export interface Placement {
  readonly active: TaskId[]
  /** Copies for the case that the active one is lost. */
  readonly standby: TaskId[]
  /** Copies that are made so that the task can move here once they are complete. */
  readonly warmup: TaskId[]
}

/**
 * Says where tasks run and where copies of their state are kept, as KIP-441 does. The balanced assignment is the goal.
 * A task whose goal has no state to speak of, while another member has, runs there until a copy at the goal has caught up
 * (a warm-up); a few of these at a time. `sizes` are the records in the changelogs of the tasks that have state: what
 * a member without any has to restore.
 */
export const placeTasks = (
  tasks: readonly TaskId[],
  sizes: ReadonlyMap<TaskId, number>,
  members: readonly StateHolder[],
  settings: StateSettings,
): ReadonlyMap<string, Placement> => {
  const lagOf = (member: StateHolder, task: TaskId): number =>
    member.lags.get(task) ?? (member.owned.has(task) ? 0 : (sizes.get(task) ?? 0))
  const isReady = (member: StateHolder, task: TaskId): boolean =>
    lagOf(member, task) <= settings.acceptableRecoveryLag
  const ordered = members.toSorted((left, right) => (left.memberId < right.memberId ? -1 : 1))
  const byId = new Map(ordered.map((member) => [member.memberId, member]))
  const placed = new Map<StateHolder, Placement>(
    ordered.map((member) => [member, { active: [], standby: [], warmup: [] }]),
  )
  const goals = assignTasks(
    tasks,
    ordered.map(({ memberId, owned }) => ({ memberId, previousTasks: [...owned] })),
    (memberId, task) => isReady(byId.get(memberId) as StateHolder, task),
  )
  let warmups = 0
  for (const [memberId, wanted] of goals) {
    const goal = byId.get(memberId) as StateHolder
    for (const task of wanted) {
      const home = isReady(goal, task)
        ? goal
        : homeOf(task, goal, placed, isReady, lagOf, settings.acceptableRecoveryLag)
      placementOf(placed, home).active.push(task)
      if (home === goal || warmups >= settings.maxWarmupReplicas) continue
      placementOf(placed, goal).warmup.push(task)
      warmups++
    }
  }
  for (const task of tasks) if (sizes.has(task)) placeStandbys(task, placed, settings.standbyReplicas, lagOf)
  return new Map(Array.from(placed, ([{ memberId }, placement]) => [memberId, placement]))
}

type Placed = ReadonlyMap<StateHolder, Placement>

const placementOf = (placed: Placed, member: StateHolder): Placement => placed.get(member) as Placement

/** A member that says nothing of its process is one by itself. */
const processOf = ({ processId, memberId }: StateHolder): string => (processId === '' ? memberId : processId)

const loadOf = ({ active, standby, warmup }: Placement): number =>
  active.length + standby.length + warmup.length

/**
 * Where a task runs whose goal is not ready for it: its owner if that is, or another that is and has least to do. If
 * none is, the member with the smallest lag; but nothing moves in mid-restore for little.
 */
const homeOf = (
  task: TaskId,
  goal: StateHolder,
  placed: Placed,
  isReady: (member: StateHolder, task: TaskId) => boolean,
  lagOf: (member: StateHolder, task: TaskId) => number,
  acceptableLag: number,
): StateHolder => {
  const ready = [...placed.keys()].filter((member) => isReady(member, task))
  const owner = ready.find(({ owned }) => owned.has(task))
  if (owner !== undefined) return owner
  const byLag = (left: StateHolder, right: StateHolder): number => lagOf(left, task) - lagOf(right, task)
  if (ready.length === 0) {
    const [best = goal] = [...placed.keys()].toSorted(byLag)
    const restoring = [...placed.keys()].find(({ owned }) => owned.has(task)) ?? goal
    return lagOf(best, task) + acceptableLag < lagOf(restoring, task) ? best : restoring
  }
  const [best = goal] = ready.toSorted(
    (left, right) =>
      placementOf(placed, left).active.length - placementOf(placed, right).active.length ||
      byLag(left, right),
  )
  return best
}

/** Copies go to other processes than any that has the task already: where one is, or else where there is least to do. */
const placeStandbys = (
  task: TaskId,
  placed: Placed,
  replicas: number,
  lagOf: (member: StateHolder, task: TaskId) => number,
): void => {
  const taken = new Set<string>()
  for (const [member, { active, warmup }] of placed)
    if (active.includes(task) || warmup.includes(task)) taken.add(processOf(member))
  const has = (member: StateHolder): number => (member.lags.has(task) || member.owned.has(task) ? 0 : 1)
  for (let copies = 0; copies < replicas; copies++) {
    const [best] = [...placed.keys()]
      .filter((member) => !taken.has(processOf(member)))
      .toSorted(
        (left, right) =>
          has(left) - has(right) ||
          loadOf(placementOf(placed, left)) - loadOf(placementOf(placed, right)) ||
          lagOf(left, task) - lagOf(right, task),
      )
    if (best === undefined) return
    placementOf(placed, best).standby.push(task)
    taken.add(processOf(best))
  }
}
