import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KeyId } from '../../src/state/key-identity.ts'
import { KeyIndex } from '../../src/state/key-index.ts'

interface Row {
  readonly id: KeyId
  readonly name: number
}

/** Whole numbers beyond 32 bits whose two halves cancel out: all of them have one hash. */
const sameHash = (index: number): number => index * 0x1_0000_0000 + (Math.imul(index, 0x9e37_79b1) >>> 0)

const anyId: fc.Arbitrary<KeyId> = fc.oneof(
  fc.string({ maxLength: 3 }),
  fc.integer({ min: -40, max: 40 }),
  fc.bigInt({ min: -20n, max: 20n }),
  fc.integer({ min: 0, max: 200 }).map(sameHash),
)

type Step =
  | { readonly do: 'add' | 'delete'; readonly id: KeyId }
  | { readonly do: 'sweep'; readonly odd: boolean; readonly size: number }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: anyId.map((id) => ({ do: 'add' as const, id })) },
  { weight: 3, arbitrary: anyId.map((id) => ({ do: 'delete' as const, id })) },
  {
    weight: 1,
    arbitrary: fc
      .record({ odd: fc.boolean(), size: fc.nat(100) })
      .map((sweep) => ({ do: 'sweep' as const, ...sweep })),
  },
)

const idsOf = (rows: Iterable<Row>): readonly string[] =>
  Array.from(rows, ({ id, name }) => `${typeof id} ${id} ${name}`).toSorted()

describe('an index by key', () => {
  it('holds what a map would, whatever is added, deleted and swept', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 600 }), (steps) => {
        const index = new KeyIndex<Row>()
        const model = new Map<KeyId, Row>()
        for (const [name, step] of steps.entries()) {
          if (step.do === 'sweep') {
            const left = (row: Row): boolean => (row.name % 2 === 1) === step.odd && model.delete(row.id)
            const before = model.size
            const leaving = Array.from(model.values()).filter(
              (row) => (row.name % 2 === 1) === step.odd,
            ).length
            index.sweep(left, () => index.size <= step.size)
            expect(index.size).toBe(before - Math.max(0, Math.min(leaving, before - step.size)))
          } else if (step.do === 'delete') {
            const row = model.get(step.id)
            model.delete(step.id)
            if (row !== undefined) index.delete(row)
          } else if (!model.has(step.id)) {
            const row = { id: step.id, name }
            model.set(step.id, row)
            index.add(row)
          }
        }
        expect(index.size).toBe(model.size)
        expect(idsOf(index.values())).toEqual(idsOf(model.values()))
        for (const [id, row] of model) expect(index.get(id)).toBe(row)
        for (const step of steps)
          if (step.do !== 'sweep' && !model.has(step.id)) expect(index.get(step.id)).toBeUndefined()
      }),
    )
  })

  it('finds every row among keys that were chosen to have one hash, and forgets them again', () => {
    const index = new KeyIndex<Row>()
    const rows = Array.from({ length: 1_000 }, (_, name) => ({ id: sameHash(name), name }))
    for (const row of rows) index.add(row)
    for (const row of rows) expect(index.get(row.id)).toBe(row)
    expect(index.get(sameHash(1_000))).toBeUndefined()
    for (const row of rows.slice(0, 999)) index.delete(row)
    expect([...index.values()]).toEqual([rows[999]])
    expect(index.get(sameHash(0))).toBeUndefined()
  })

  it('tells rows in the order in which they came', () => {
    const index = new KeyIndex<Row>()
    const rows = Array.from({ length: 5_000 }, (_, name) => ({ id: `key-${name}`, name }))
    for (const row of rows) index.add(row)
    expect([...index.values()]).toEqual(rows)
  })

  it('sweeps on from where it was, so that each row has its turn', () => {
    const index = new KeyIndex<Row>()
    for (let name = 0; name < 100; name++) index.add({ id: name, name })
    const seen: number[] = []
    for (let size = 90; size >= 0; size -= 10)
      index.sweep(
        ({ name }) => (seen.push(name), true),
        () => index.size <= size,
      )
    expect(seen).toEqual(Array.from({ length: 100 }, (_, name) => name))
    expect(index.size).toBe(0)
  })
})
