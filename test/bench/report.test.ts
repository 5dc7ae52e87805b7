import { expect, test } from 'vitest'
import { median } from '../../bench/median.ts'
import type { Row } from '../../bench/report.ts'
import { medianOf, tableOfRows } from '../../bench/report.ts'
import { defaultRecords } from '../../bench/run-once.ts'
import { benchRow as row } from './bench-row.ts'

test('a median is one of the values, the lower middle of an even number', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([4, 1, 3, 2])).toBe(2)
})

test('the median of runs is taken number by number', () => {
  const runs = [row('millrace', 100, 3), row('millrace', 300, 1), row('millrace', 200, 2)]
  expect(medianOf(runs)).toEqual(row('millrace', 200, 2))
})

test('ratios are against Kafka Streams at the same workload and guarantee', () => {
  const rows = [
    row('millrace', 600_000, 2),
    row('kafka-streams', 300_000, 5),
    { ...row('kafka-streams', 1, 1), guarantee: 'exactly-once' as const },
  ]
  const cells = tableOfRows(rows)
    .split('\n')[2]
    ?.split('|')
    .map((cell) => cell.trim())
  expect(cells?.slice(1, -1)).toEqual([
    'W1',
    'at-least-once',
    'millrace',
    '600 k',
    '2.00',
    '2.00',
    '0.40',
    '100',
    '',
  ])
})

test('a peer without Kafka Streams beside it has no ratio', () => {
  const [, , line] = tableOfRows([row('kafkajs', 1000, 2)]).split('\n')
  expect(line?.split('|').map((cell) => cell.trim())).toEqual([
    '',
    'W1',
    'at-least-once',
    'kafkajs',
    '1 k',
    '-',
    '2.00',
    '-',
    '100',
    '',
    '',
  ])
})

test('a warm report shows the second half of a run, and the first half beside it as cold', () => {
  const halves = (warm: number, cold: number): Partial<Row> => ({
    warmRecordsPerSecond: warm * 1000,
    warmCpuMicrosPerRecord: 1000 / warm,
    coldRecordsPerSecond: cold * 1000,
    coldCpuMicrosPerRecord: 1000 / cold,
  })
  const rows = [
    { ...row('millrace', 1, 1), ...halves(400, 300) },
    { ...row('kafka-streams', 1, 1), ...halves(200, 75) },
  ]
  const [head, , line] = tableOfRows(rows, { warm: true })
    .split('\n')
    .map((each) => each.split('|').map((cell) => cell.trim()))
  expect(head?.slice(4, 12)).toEqual([
    'records/s',
    'ratio',
    'µs CPU/record',
    'ratio',
    'cold records/s',
    'ratio',
    'cold µs CPU/record',
    'ratio',
  ])
  expect(line?.slice(4, 12)).toEqual(['400 k', '2.00', '2.50', '0.50', '300 k', '4.00', '3.33', '0.25'])
})

test('a warm report shows a run without halves from its first record on', () => {
  const [, , line] = tableOfRows([row('millrace', 300_000, 2)], { warm: true }).split('\n')
  const cells = line?.split('|').map((cell) => cell.trim())
  expect(cells?.slice(4, 12)).toEqual(['300 k', '-', '2.00', '-', '-', '-', '-', '-'])
})

test('W1 to W5 process five million orders when they are measured warm, and one million otherwise', () => {
  expect((['W1', 'W5', 'W6'] as const).map((workload) => defaultRecords(workload, true))).toEqual([
    5_000_000, 5_000_000, 1_000_000,
  ])
  expect(defaultRecords('W1', false)).toBe(1_000_000)
})

test('columns are as wide as what stands in them', () => {
  const lines = tableOfRows([row('kafka-streams', 1_234_000, 5)]).split('\n')
  expect(new Set(lines.map((line) => line.length)).size).toBe(1)
})

test('a quiet worker is told by its share of a core, against that of Kafka Streams', () => {
  const quiet = (peer: string, percentOfCore: number): Row => ({
    ...row(peer, 0, 0),
    workload: 'W8',
    percentOfCore,
  })
  const [, , line] = tableOfRows([quiet('millrace', 0.25), quiet('kafka-streams', 2.5)]).split('\n')
  expect(line?.split('|').map((cell) => cell.trim())).toEqual([
    '',
    'W8',
    'at-least-once',
    'millrace',
    '-',
    '-',
    '-',
    '0.10',
    '100',
    '0.3 % of a core',
    '',
  ])
})
