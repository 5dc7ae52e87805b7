import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Heap } from '../../src/base/heap.ts'

describe('a heap', () => {
  it('gives back what it was given, smallest first, whatever happens in between', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer())), (steps) => {
        const heap = new Heap<number>((left, right) => left - right)
        const model: number[] = []
        for (const step of steps) {
          if (step === null) expect(heap.take()).toBe(model.shift())
          else {
            heap.add(step)
            model.push(step)
            model.sort((left, right) => left - right)
          }
          expect(heap.first).toBe(model[0])
          expect(heap.size).toBe(model.length)
        }
      }),
    )
  })

  it('gives back what sorts alike in the order of Java’s PriorityQueue', () => {
    const heap = new Heap<string>(() => 0)
    for (const item of ['a', 'b', 'c', 'd']) heap.add(item)
    expect([heap.take(), heap.take(), heap.take(), heap.take()]).toEqual(['a', 'd', 'c', 'b'])
  })
})
