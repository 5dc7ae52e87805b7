import { describe, expect, it } from 'vitest'
import { copyPlain, deepFreeze, isUnchangeable } from '../../src/base/plain-data.ts'

const nested = (levels: number): object => {
  let value: object = {}
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? { inner: value } : [value]
  return value
}

describe('a value that is frozen', () => {
  it('is so in all its parts, however deep they are', () => {
    const value = nested(200_000)
    expect(deepFreeze(value)).toBe(true)
    let at: unknown = value
    while (typeof at === 'object' && at !== null) {
      if (!Object.isFrozen(at)) throw new Error('a part is not frozen')
      at = Object.values(at)[0]
    }
  })

  it('may hold itself', () => {
    const value: Record<string, unknown> = { list: [1] }
    value['self'] = value
    expect(deepFreeze(value)).toBe(true)
    expect(isUnchangeable(value)).toBe(true)
  })

  it('is unchangeable only without a part that can change, and its other parts are', () => {
    const sound = { a: [1] }
    const value = { sound, holder: { date: new Date(0) }, last: { b: 1 } }
    expect(deepFreeze(value)).toBe(false)
    expect([value, value.holder, sound, sound.a, value.last].map(isUnchangeable)).toEqual([
      false,
      false,
      true,
      true,
      true,
    ])
  })
})

it('a value too deep for a copy has none', () => {
  expect(copyPlain(nested(200_000))).toBeUndefined()
})
