import { expect, test } from 'vitest'
import { measurement, type Usage } from '../../../bench/peers/measure.ts'

const peer = { name: 'millrace', version: '1' }

/** Readings of time and CPU, one for each mark. */
const readings = (...all: readonly (readonly [ms: number, cpuMicros: number])[]): (() => Usage) => {
  const left = [...all]
  return () => {
    const [ms = 0, cpuMicros = 0] = left.shift() ?? []
    return { ms, cpuMicros }
  }
}

test('the run counts from the first record to the end, and each half from mark to mark', () => {
  const measured = measurement(1000, readings([1000, 500], [3000, 2500], [4000, 3000]))
  for (const records of [1, 200, 499, 501, 700, 1000]) measured.processed(records)
  expect(measured.end(peer)).toMatchObject({
    peer: 'millrace',
    version: '1',
    seconds: 3,
    recordsPerSecond: 333,
    cpuMicrosPerRecord: 2.5,
    cpuMicrosPerRecordWithStartUp: 3,
    coldRecordsPerSecond: 250,
    coldCpuMicrosPerRecord: 4,
    warmRecordsPerSecond: 499,
    warmCpuMicrosPerRecord: 1.002,
  })
})

test('a count at exactly half of the records ends the cold half', () => {
  const measured = measurement(1000, readings([0, 0], [1000, 5000], [1500, 6000]))
  for (const records of [0, 500, 900]) measured.processed(records)
  expect(measured.end(peer)).toMatchObject({
    coldRecordsPerSecond: 500,
    coldCpuMicrosPerRecord: 10,
    warmRecordsPerSecond: 1000,
    warmCpuMicrosPerRecord: 2,
  })
})

test('a run has no halves when its first count is the last one', () => {
  const measured = measurement(1000, readings([0, 0], [1000, 5000]))
  measured.processed(1000)
  const result = measured.end(peer)
  expect(result.recordsPerSecond).toBe(1000)
  expect(result.warmRecordsPerSecond).toBeUndefined()
  expect(result.coldRecordsPerSecond).toBeUndefined()
})
