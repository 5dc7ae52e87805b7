/** A task by name: `<sub-topology>_<partition>`. */
export type TaskId = string

export interface AssignableMember {
  readonly memberId: string
  /** The tasks it had, whose state it therefore holds. */
  readonly previousTasks: readonly TaskId[]
}

/**
 * Spreads tasks over members: everybody keeps what it had as far as the balance allows, and nobody gets more than one
 * task more than anybody else. Depends on its arguments alone, so that every leader comes to the same result.
 */
export const assignTasks = (
  tasks: readonly TaskId[],
  members: readonly AssignableMember[],
): ReadonlyMap<string, readonly TaskId[]> => {
  const ordered = members.toSorted((left, right) => (left.memberId < right.memberId ? -1 : 1))
  const assigned = new Map<string, TaskId[]>(ordered.map(({ memberId }) => [memberId, []]))
  if (ordered.length === 0) return assigned
  const free = new Set(tasks)
  keepPrevious(free, tasks.length, ordered, assigned)
  for (const task of [...free].sort(byTask)) leastLoaded(assigned).push(task)
  for (const each of assigned.values()) each.sort(byTask)
  return assigned
}

/** As many members as the remainder allows keep one task more than the others. */
const keepPrevious = (
  free: Set<TaskId>,
  count: number,
  members: readonly AssignableMember[],
  assigned: ReadonlyMap<string, TaskId[]>,
): void => {
  const floor = Math.floor(count / members.length)
  let larger = count % members.length
  for (const { memberId, previousTasks } of members) {
    const own = assigned.get(memberId) as TaskId[]
    for (const task of previousTasks.toSorted(byTask)) {
      if (!free.has(task)) continue
      if (own.length === floor && larger > 0) larger--
      else if (own.length >= floor) break
      own.push(task)
      free.delete(task)
    }
  }
}

const leastLoaded = (assigned: ReadonlyMap<string, TaskId[]>): TaskId[] => {
  let best: TaskId[] | undefined
  for (const tasks of assigned.values()) if (best === undefined || tasks.length < best.length) best = tasks
  return best as TaskId[]
}

/** By sub-topology, then by partition, as numbers. */
const byTask = (left: TaskId, right: TaskId): number => {
  const [leftTopology, leftPartition] = left.split('_').map(Number)
  const [rightTopology, rightPartition] = right.split('_').map(Number)
  return (
    (leftTopology as number) - (rightTopology as number) ||
    (leftPartition as number) - (rightPartition as number)
  )
}
