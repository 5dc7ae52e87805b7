import type { ValueKind } from '../base/options.ts'
import { anyObject } from '../base/value-kinds.ts'
import type { KeyValueRecord } from '../topic/record.ts'
import type { Predicate } from './callbacks.ts'
import type { Position } from './graph.ts'
import type { Named } from './options.ts'
import type { Stream } from './stream.ts'

/** Branches by name, in the order they are asked; the first whose predicate holds takes the record. */
export type Branches<K, V> = Readonly<Record<string, (record: KeyValueRecord<K, V>) => boolean>>

/** The stream of each branch; a branch with a type guard carries the narrowed values. */
export type BranchStreams<K, V, B> = {
  readonly [Name in keyof B]: B[Name] extends ((
    record: KeyValueRecord<K, V>,
  ) => record is KeyValueRecord<K, infer V2 extends V>)
    ? Stream<K, V2>
    : Stream<K, V>
}

/** What `split` takes: at least one branch, each with a name. */
export const branchesKind: ValueKind = {
  needs: 'an object of branches',
  example: '{ paid: isPaid, failed: otherwise }',
  accepts: (value) => anyObject.accepts(value) && Object.keys(value as object).length > 0,
}

/** Adds the split and a branch node for each of its branches; returns where each branch goes on. */
export const splitNode = (
  at: Position,
  branches: Readonly<Record<string, Predicate<unknown, unknown>>>,
  options: Named,
): Readonly<Record<string, Position>> => {
  const split = at.graph.add('split', 'split', options.name, {
    from: [at.node],
    branches: Object.entries(branches).map(([name, predicate]) => ({ name, predicate })),
  })
  return Object.fromEntries(
    Object.keys(branches).map((branch) => {
      const node = at.graph.add('branch', 'branch', `${split}-${branch}`, { from: [split], branch })
      return [branch, { ...at, node }]
    }),
  )
}
