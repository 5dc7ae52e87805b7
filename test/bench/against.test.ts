import { expect, test } from 'vitest'
import { tableOfPairs } from '../../bench/against.ts'
import type { Row } from '../../bench/report.ts'
import { benchRow } from './bench-row.ts'

const run = (recordsPerSecond: number, cpuMicrosPerRecord: number, more: Partial<Row> = {}): Row => ({
  ...benchRow('millrace', recordsPerSecond, cpuMicrosPerRecord),
  ...more,
})

const rowsOf = (table: string): readonly (readonly string[])[] =>
  table
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )

test('the ratio of two checkouts is the median over their pairs, as the machine may get slower between pairs', () => {
  const table = tableOfPairs([
    {
      workload: 'W1',
      guarantee: 'at-least-once',
      codec: 'zstd',
      before: [run(200_000, 2), run(100_000, 4), run(50_000, 8)],
      after: [run(210_000, 2.2), run(90_000, 4.4), run(50_000, 8.8)],
    },
  ])
  expect(rowsOf(table)).toEqual([
    ['W1', 'at-least-once', 'zstd', '90 k', '1.000', '4.40', '4.00', '1.100', ''],
    ['all', '', '', '', '', '4.40', '4.00', '1.100', ''],
  ])
})

test('a workload at a fixed rate is reported by its latency, and a quiet one by its share of a core', () => {
  const latency = (factor: number): Partial<Row> => ({
    p50Ms: 2 * factor,
    p95Ms: 5 * factor,
    p99Ms: 9 * factor,
  })
  const table = tableOfPairs([
    {
      workload: 'W7',
      guarantee: 'exactly-once',
      codec: 'none',
      before: [run(2_000, 10, latency(1))],
      after: [run(2_000, 9, latency(2))],
    },
    {
      workload: 'W8',
      guarantee: 'at-least-once',
      codec: 'none',
      before: [run(0, 0, { percentOfCore: 0.4 })],
      after: [run(0, 0, { percentOfCore: 0.3 })],
    },
  ])
  expect(rowsOf(table)).toEqual([
    [
      'W7',
      'exactly-once',
      'none',
      '-',
      '-',
      '9.00',
      '10.00',
      '0.900',
      'p50/p95/p99 4/10/18 ms, before 2/5/9',
    ],
    ['W8', 'at-least-once', 'none', '-', '-', '-', '-', '0.750', ''],
    ['all', '', '', '', '', '9.00', '10.00', '0.900', ''],
  ])
})
