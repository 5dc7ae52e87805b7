import { copyPlain } from '../../base/plain-data.ts'
import type { Serde } from '../../topic/serde.ts'
import { copyBySerde } from '../../topic/serde.ts'
import type { NodeContext } from '../node-context.ts'

/**
 * What an aggregator gets of the aggregate: its own copy, so that it may add in place. The row and the old value stay as they
 * are, also where the aggregator throws half-way. Plain data is copied, other objects are written and read again by the
 * store's serde; numbers and text are handed on as they are.
 */
export const ownCopyFor = (context: NodeContext, store: string): (<T>(value: T) => T) => {
  const serde = context.topology.stores.find(({ name }) => name === store)?.value as
    | Serde<unknown>
    | undefined
  return <T>(value: T): T => {
    if (typeof value !== 'object' || value === null) return value
    const copy = copyPlain(value)
    if (copy !== undefined || serde === undefined) return copy ?? value
    return copyBySerde(serde, value) as T
  }
}
