import type { ChaosRun } from './chaos-run.ts'
import { repeatedCopies } from './outcome.ts'
import type { Output, Standstill } from './progress.ts'
import { standstills, summaryOf } from './progress.ts'
import { restoreFindings } from './restores.ts'

/** What a run went through, for people. */
export const reportOf = (run: ChaosRun): string => {
  const { words, copies, counts } = run.outcome
  const tellings = run.members.flatMap((member) => member.told())
  const restores = run.members.map(({ name, tellings: told }) => restoreFindings(name, told))
  const sum = (of: (each: (typeof restores)[number]) => number): number =>
    restores.reduce((total, each) => total + of(each), 0)
  const rebalances = tellings.filter((each) => each.kind === 'state' && each.state === 'rebalancing').length
  const seconds = ((copies.at(-1)?.appendedMs ?? 0) - (copies[0]?.appendedMs ?? 0)) / 1_000
  return [
    `${words.length} events in ${Math.round(seconds)} s, ${copies.length} copies (${repeatedCopies(run.outcome)} repeated), ${counts.length} counts`,
    `${run.marks.length} disturbances, ${run.members.reduce((total, { starts }) => total + starts, 0)} processes, each place rebalanced ${rebalances} times in all`,
    `state: ${sum(({ found }) => found)} stores found on disk, ${sum(({ restoredRecords }) => restoredRecords)} records restored of ${sum(({ recordsOfWiped }) => recordsOfWiped)} that wiped stores would have needed`,
    ...standstillLines(run),
  ].join('\n')
}

/** Time without progress, moved tasks apart from those that stayed. */
const standstillLines = (run: ChaosRun): readonly string[] => {
  const { stateless, counting } = outputsOf(run)
  return [
    ...linesOf('stateless', standstills(stateless, run.marks)),
    ...linesOf('counting', standstills(counting, run.marks)),
  ]
}

/** What each task put out, and when: the two kinds of tasks, by partition. */
export const outputsOf = (
  run: ChaosRun,
): { readonly stateless: readonly Output[]; readonly counting: readonly Output[] } => ({
  stateless: run.outcome.copies.map(({ partition, pid, writtenMs, appendedMs }) => ({
    ...{ partition, pid },
    ...{ readyMs: writtenMs, doneMs: appendedMs },
  })),
  // When the input of a count was there is not known, but under a steady load there always is some.
  counting: run.outcome.counts.map(({ partition, pid, appendedMs }) => ({
    ...{ partition, pid },
    ...{ readyMs: 0, doneMs: appendedMs },
  })),
})

const linesOf = (kind: string, all: readonly Standstill[]): readonly string[] =>
  [true, false].flatMap((moved) => {
    const summary = summaryOf(all.filter((each) => each.moved === moved).map(({ longestMs }) => longestMs))
    return summary === undefined
      ? []
      : [
          `${kind} tasks that ${moved ? 'moved' : 'stayed'} (${summary.count}): without progress at most ${summary.max} ms, p50 ${summary.p50} ms`,
        ]
  })
