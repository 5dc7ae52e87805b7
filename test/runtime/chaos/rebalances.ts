import type { ChaosRun } from './chaos-run.ts'
import { pause } from './chaos-run.ts'
import { outputsOf } from './report.ts'
import type { Standstill } from './progress.ts'
import { standstills, summaryOf } from './progress.ts'

/**
 * What it costs when processes come and go in good order under a steady load: for each task the longest time without
 * progress, those that moved apart from those that stayed.
 */
const settleMs = 8_000

/** Adds and removes a process, `rounds` times. */
export const comeAndGo = async (run: ChaosRun, rounds: number): Promise<void> => {
  await pause(settleMs)
  const guest = run.addMember('guest')
  for (let round = 0; round < rounds; round++) {
    run.mark('a process comes')
    guest.start()
    await guest.running()
    await pause(settleMs)
    run.mark('a process goes')
    await guest.leave()
    await pause(settleMs)
  }
}

/** A line for each coming and going, and the verdict over all. */
export const rebalanceLines = (run: ChaosRun): readonly string[] => {
  const { stateless, counting } = outputsOf(run)
  return [
    ...linesOf('stateless', standstills(stateless, run.marks)),
    ...linesOf('counting', standstills(counting, run.marks)),
  ]
}

const linesOf = (kind: string, all: readonly Standstill[]): readonly string[] => [
  ...Array.from(
    Map.groupBy(
      all.filter(({ disturbance }) => disturbance.startsWith('a process')),
      ({ disturbance }) => disturbance,
    ),
    ([what, list]) => `${what}: ${kind} tasks ${part('moved', list, true)}; ${part('stayed', list, false)}`,
  ),
]

const part = (what: string, list: readonly Standstill[], moved: boolean): string => {
  const summary = summaryOf(list.filter((each) => each.moved === moved).map(({ longestMs }) => longestMs))
  return summary === undefined
    ? `none ${what}`
    : `${summary.count} ${what}, without progress at most ${summary.max} ms (p50 ${summary.p50})`
}
