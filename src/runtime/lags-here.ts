import type { ApplicationPlan } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import { changelogOf, copiedStoresOf } from './changelog-sizes.ts'
import type { DormantState } from './dormant-state.ts'
import type { Restorer } from './restore.ts'
import type { StandbyTasks } from './standby-tasks.ts'

export interface StateHere {
  readonly ownTasks: readonly TaskId[]
  readonly standbys: StandbyTasks
  readonly dormant: DormantState
  readonly restorer: Restorer
}

/** By how many records the state is behind that is here: of tasks still being restored, of copies, of what nobody uses. */
export const lagsHere = async (
  plan: ApplicationPlan,
  { ownTasks, standbys, dormant, restorer }: StateHere,
): Promise<ReadonlyMap<TaskId, number>> => {
  const copies = standbys.lags
  const unused = await dormant.lags(new Set([...ownTasks, ...copies.keys()]))
  const remainingOf = (task: TaskId): number =>
    copiedStoresOf(plan, task)
      .map((store) => restorer.remaining(changelogOf(plan, task, store)))
      .reduce((sum, each) => sum + each, 0)
  const restoring = ownTasks.map((task) => [task, remainingOf(task)] as const).filter(([, lag]) => lag > 0)
  return new Map([...unused, ...copies, ...restoring])
}
