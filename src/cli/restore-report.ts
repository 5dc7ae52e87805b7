import type { Clock } from '../base/clock.ts'
import type { StartOptions } from '../app/start-options.ts'

type OnRestore = NonNullable<StartOptions['onRestore']>
type Progress = Parameters<OnRestore>[0]

/**
 * Prints the progress of a restoration: a line a second over all stores together, and one when the last of them is at its
 * end. What needed nothing restored is not mentioned.
 */
export const restoreReport = (clock: Clock, print: (line: string) => void): OnRestore => {
  const stores = new Map<string, Progress>()
  let startedMs = clock.monotonicMs()
  let printedMs = startedMs
  return (progress) => {
    const nowMs = clock.monotonicMs()
    if (stores.size === 0) startedMs = printedMs = nowMs
    if (progress.restoredRecords > 0 || progress.remainingRecords > 0)
      stores.set(`${progress.store} ${progress.partition}`, progress)
    const all = [...stores.values()]
    const restored = sum(all.map(({ restoredRecords }) => restoredRecords))
    const remaining = sum(all.map(({ remainingRecords }) => remainingRecords))
    if (remaining > 0 && nowMs - printedMs < reportIntervalMs) return
    if (restored > 0) print(lineOf(restored, remaining, nowMs - startedMs, stores.size))
    printedMs = nowMs
    if (remaining === 0) stores.clear()
  }
}

const reportIntervalMs = 1_000

const lineOf = (restored: number, remaining: number, passedMs: number, stores: number): string => {
  const rate = restored / (Math.max(1, passedMs) / 1_000)
  const partitions = `${stores} partition${stores === 1 ? '' : 's'} of stores`
  return remaining === 0
    ? `restored ${count(restored)} records of ${partitions} in ${seconds(passedMs)}`
    : `restoring ${partitions}: ${count(restored)} records done, ${count(remaining)} to go, ${count(rate)}/s, ` +
        `about ${seconds((remaining / rate) * 1_000)} left`
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)

const count = (number: number): string => Math.round(number).toLocaleString('en')

const seconds = (durationMs: number): string =>
  durationMs < 60_000
    ? `${(durationMs / 1_000).toFixed(1)} s`
    : `${Math.floor(durationMs / 60_000)} min ${Math.round((durationMs % 60_000) / 1_000)} s`
