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
})
