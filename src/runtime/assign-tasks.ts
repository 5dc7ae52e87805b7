/** A task by name: `<sub-topology>_<partition>`. */
export type TaskId = string

export interface AssignableMember {
  readonly memberId: string
  /** The tasks it had, whose state it therefore holds. */
  readonly previousTasks: readonly TaskId[]
}

/**
 * Spreads tasks over members: everybody keeps what it had as far as the balance allows. No member gets more than one task
 * more than anybody else, over all tasks and of each sub-topology, as tasks of one sub-topology cost about the same.
 * Depends on its arguments alone, so that every leader comes to the same result; and where a member has given up what
 * was not its own any more, the next round comes to the same result again.
 *
 * `isReady` selects the members that have the state of a task, or could have it in no time: what must move goes there where it can.
 */
export const assignTasks = (
  tasks: readonly TaskId[],
  members: readonly AssignableMember[],
  isReady: (memberId: string, task: TaskId) => boolean = () => true,
): ReadonlyMap<string, readonly TaskId[]> => {
  const ordered = members.toSorted((left, right) => (left.memberId < right.memberId ? -1 : 1))
  const shares = ordered.map(({ memberId }): Share => ({ memberId, extras: 0, tasks: [] }))
  if (shares.length === 0) return new Map()
  const holders = holdersOf(ordered)
  const bySubTopology = Map.groupBy(tasks.toSorted(byTask), (task) => task.split('_')[0])
  for (const group of bySubTopology.values()) dealOut(group, shares, holders, isReady)
  return new Map(shares.map((each) => [each.memberId, each.tasks.sort(byTask)]))
}

interface Share {
  readonly memberId: string
  /** In how many sub-topologies it has one task more than others. */
  extras: number
  readonly tasks: TaskId[]
}

/** Who has had a task; the first where several remember it. */
const holdersOf = (members: readonly AssignableMember[]): ReadonlyMap<TaskId, string> => {
  const holders = new Map<TaskId, string>()
  for (const { memberId, previousTasks } of members)
    for (const task of previousTasks) if (!holders.has(task)) holders.set(task, memberId)
  return holders
}

/** The tasks of one sub-topology. */
const dealOut = (
  group: readonly TaskId[],
  shares: readonly Share[],
  holders: ReadonlyMap<TaskId, string>,
  isReady: (memberId: string, task: TaskId) => boolean,
): void => {
  const isReadyElsewhere = (task: TaskId): number =>
    shares.some(({ memberId }) => memberId !== holders.get(task) && isReady(memberId, task)) ? 1 : 0
  const held = Map.groupBy(
    group.toSorted((left, right) => isReadyElsewhere(left) - isReadyElsewhere(right)),
    (task) => holders.get(task),
  )
  const rooms = roomsOf(group.length, shares, (memberId) => held.get(memberId)?.length ?? 0)
  const take = (share: Share, task: TaskId): void => {
    share.tasks.push(task)
    rooms.set(share, (rooms.get(share) as number) - 1)
  }
  const free = new Set(group)
  for (const share of shares)
    for (const task of held.get(share.memberId)?.slice(0, rooms.get(share)) ?? []) {
      take(share, task)
      free.delete(task)
    }
  for (const task of free)
    take(
      roomiest(rooms, ({ memberId }) => isReady(memberId, task)),
      task,
    )
}

/**
 * How many tasks of a sub-topology each may have. Where they can't be equal, one more goes to those who have the fewest
 * of such already, and among them to those who would otherwise have to give one up.
 */
const roomsOf = (
  count: number,
  shares: readonly Share[],
  heldBy: (memberId: string) => number,
): Map<Share, number> => {
  const floor = Math.floor(count / shares.length)
  const rooms = new Map(shares.map((share) => [share, floor]))
  const hasMore = ({ memberId }: Share): number => (heldBy(memberId) > floor ? 0 : 1)
  const larger = shares
    .toSorted((left, right) => left.extras - right.extras || hasMore(left) - hasMore(right))
    .slice(0, count % shares.length)
  for (const share of larger) {
    share.extras++
    rooms.set(share, floor + 1)
  }
  return rooms
}

/** Who has most room, among those that are ready if one of them has any. */
const roomiest = (rooms: ReadonlyMap<Share, number>, isReady: (share: Share) => boolean): Share => {
  const withRoom = [...rooms].filter(([, room]) => room > 0)
  const ready = withRoom.filter(([share]) => isReady(share))
  const [[best]] = (ready.length > 0 ? ready : withRoom).toSorted(([, left], [, right]) => right - left) as [
    [Share, number],
  ]
  return best
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
