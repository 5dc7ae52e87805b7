import { describe, expect, it } from 'vitest'
import { string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const input = topic('input', { value: string })

describe('the order of a record through a topology', () => {
  it('is depth first, and among siblings that of their creation', () => {
    const seen: string[] = []
    const note = (name: string) => (): void => {
      seen.push(name)
    }
    const driver = testDriver(
      topology('order', (builder) => {
        const stream = builder.stream(input)
        const first = stream.mapValues((value) => value)
        const second = stream.peek(note('second'))
        stream.forEach(note('third'))
        second.forEach(note('below second'))
        const chain = first.peek(note('first'))
        chain.filter(() => true).forEach(note('below first, one'))
        chain.merge(second).forEach(note('merged'))
      }),
    )
    driver.input(input).pipe('k', 'v')
    expect(seen).toEqual(['first', 'below first, one', 'merged', 'second', 'below second', 'merged', 'third'])
  })
})
