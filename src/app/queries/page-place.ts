import type { Bytes } from '../../base/bytes.ts'
import { bytesEqual, compareBytes, copyBytes } from '../../base/bytes.ts'
import { Fault } from '../../base/fault.ts'
import type { StoreListing } from '../../runtime/store-directory.ts'
import type { PageRequest, RowPlace, StorePage, StoreQuery } from '../../state/store-query.ts'
import { deserializeAll } from '../../topic/serde.ts'
import type { Serde } from '../../topic/serde.ts'
import type { StoreDefinition } from '../../topology/store-definition.ts'
import { badQuery } from './key-text.ts'
import { readRow } from './read-row.ts'

/**
 * Checks what came from outside as bytes: that its keys are keys of the store, and that the page begins inside of what the
 * request asks for. A forged place can therefore skip rows of the request, and never adds one.
 */
export const checkPageRequest = (
  { definition }: StoreListing,
  { query, after }: Pick<PageRequest, 'query' | 'after'>,
): void => {
  for (const key of keysOf(query)) checkKey(definition, key, 'a key of the request')
  if (after === undefined) return
  checkKey(definition, after.key, "the key in 'after'")
  if (!hasItsTimes(definition, query, after) || !isInside(definition, query, after))
    throw badQuery("'after' must be what the last page of this request gave")
}

const keysOf = (query: StoreQuery): readonly Bytes[] => {
  if (query.kind === 'get' || query.kind === 'key') return [query.key]
  if (query.kind === 'range') return [query.from, query.to].filter((key) => key !== undefined)
  return []
}

const checkKey = (definition: StoreDefinition, key: Bytes, what: string): void => {
  try {
    canonical(definition, key)
  } catch {
    throw badQuery(`${what} is no key of store '${definition.name}'`)
  }
}

/** The bytes that the store itself has for a key: of a JSON key, properties may come in another order. */
const canonical = ({ key: serde }: StoreDefinition, key: Bytes): Bytes => {
  const { serialize } = serde as unknown as Serde<unknown>
  // A copy: a serde may hand its own memory out.
  return copyBytes(serialize(deserializeAll(serde as unknown as Serde<unknown>, key) as never))
}

/** Places in windows, sessions and versions of a key are places in time. */
const hasItsTimes = ({ kind }: StoreDefinition, query: StoreQuery, { time, second }: RowPlace): boolean => {
  if (kind === 'session') return time !== undefined && second !== undefined
  return time !== undefined || (kind !== 'window' && query.kind !== 'key')
}

const isInside = (definition: StoreDefinition, query: StoreQuery, { key, time = 0 }: RowPlace): boolean => {
  switch (query.kind) {
    case 'get':
      return false
    case 'range':
      return isBetween(definition, query, canonical(definition, key))
    case 'prefix':
      return bytesEqual(canonical(definition, key).subarray(0, query.prefix.length), query.prefix)
    case 'key':
      // A version that was valid at `fromMs` may be older.
      return definition.kind === 'versioned' || time >= (query.fromMs ?? -Infinity)
    case 'time':
      return time >= (query.fromMs ?? -Infinity)
  }
}

const isBetween = (
  definition: StoreDefinition,
  { from, to }: Extract<StoreQuery, { kind: 'range' }>,
  key: Bytes,
): boolean =>
  (from === undefined || compareBytes(canonical(definition, from), key) <= 0) &&
  (to === undefined || compareBytes(key, canonical(definition, to)) <= 0)

/** Checks the page of another process: that it can be read by the serdes of the store, and that the next one can be asked for. */
export const checkAnswer = (
  listing: StoreListing,
  { query }: PageRequest,
  { rows, after }: StorePage,
  endpoint: string,
): void => {
  try {
    for (const row of rows) readRow(listing.definition, row)
    checkPageRequest(listing, { query, after })
  } catch (cause) {
    throw unreadableAnswer(listing, endpoint, cause)
  }
}

const unreadableAnswer = ({ definition }: StoreListing, endpoint: string, cause: unknown): Fault =>
  new Fault({
    code: 'OWNER_ANSWER_INVALID',
    actor: 'runtime',
    message: `${endpoint} answered with rows that are none of this store`,
    remedy: 'run the same version of the application there',
    place: { store: definition.name },
    cause,
  })
