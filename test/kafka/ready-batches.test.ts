import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { PartitionState } from '../../src/kafka/fetch/partition-state.ts'
import { ReadyBatches } from '../../src/kafka/fetch/ready-batches.ts'
import type { BatchSlices } from '../../src/kafka/record-batch/batch-slices.ts'
import { RecordRows } from '../../src/kafka/record-batch/record-rows.ts'

/** A response whose slices are counted, and whose decompressor takes some memory between its first and last. */
class CountedSlices {
  readonly #slices: number
  readonly #workingBytes: number
  #read = 0

  constructor(slices: number, workingBytes: number) {
    this.#slices = slices
    this.#workingBytes = workingBytes
  }

  get isDone(): boolean {
    return this.#read === this.#slices
  }

  get isBegun(): boolean {
    return this.#read > 0 && !this.isDone
  }

  get workingBytes(): number {
    return this.isBegun ? this.#workingBytes : 0
  }

  next() {
    this.#read++
    return {
      columns: new RecordRows(new Uint8Array(0), 0).columns(),
      nextOffset: this.#read,
      unpackedBytes: 1,
    }
  }

  close(): void {
    this.#read = this.#slices
  }
}

/** So many partitions, each with a response of four slices. */
const setUp = (partitions: number, workingBytes: number) => {
  const ready = new ReadyBatches({ clock: new ManualClock(), maxBytes: 100, onUnreadable: () => {} })
  const all = Array.from({ length: partitions }, (_, partition) => {
    const state = new PartitionState({ topic: 't', partition, offset: 0 }, 0)
    const slices = new CountedSlices(4, workingBytes)
    ready.add({
      state,
      slices: slices as unknown as BatchSlices,
      sizeInBytes: 40,
      place: {} as never,
    })
    return { state, slices }
  })
  const takeAll = async (): Promise<number> => {
    let most = 0
    for (let turn = 0; turn < 1_000 && all.some(({ slices }) => !slices.isDone); turn++) {
      await ready.take(0)
      ready.handled()
      most = Math.max(most, all.filter(({ slices }) => slices.isBegun).length)
    }
    expect(all.every(({ slices }) => slices.isDone)).toBe(true)
    return most
  }
  return { ready, all, takeAll }
}

const megabyte = 1_048_576

describe('responses that are read in turns', () => {
  it('are eight at a time at most', async () => {
    expect(await setUp(48, 0).takeAll()).toBeLessThanOrEqual(8)
  })

  it.each([
    [128, 1],
    [16, 2],
    [8, 4],
  ])('are fewer where their decompressors take %i MB each: %i', async (workingMb, most) => {
    expect(await setUp(48, workingMb * megabyte).takeAll()).toBe(most)
  })

  it('begin with another one where all that were begun are paused', async () => {
    const { ready, all, takeAll } = setUp(3, 128 * megabyte)
    await ready.take(0)
    const paused = all.find(({ slices }) => slices.isBegun)
    if (paused !== undefined) paused.state.isPaused = true
    ready.handled()
    await ready.take(0)
    expect(all.filter(({ slices }) => slices.isBegun)).toHaveLength(2)
    if (paused !== undefined) paused.state.isPaused = false
    await takeAll()
  })
})
