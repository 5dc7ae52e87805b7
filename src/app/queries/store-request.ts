import * as z from 'zod'
import type { Bytes } from '../../base/bytes.ts'
import type { StoreListing } from '../../runtime/store-directory.ts'
import type { StoreRow } from '../../state/store-query.ts'
import type { Serde } from '../../topic/serde.ts'
import { serialized } from '../../topic/serde.ts'
import { jsonValueOf } from './json-value.ts'
import { parseKey } from './key-text.ts'
import type { PageReader, QueryOptions } from './page-reader.ts'
import { readRow } from './read-row.ts'
import { isolationSchema } from './wire.ts'

/** What the routes of stores have in common: their parameters, where a key lies, and how a row is answered. */
export const storeName = z.string().describe('The name of a store.')
export const keyText = z
  .string()
  .describe(
    'A key: text as it is, numbers as digits, bytes as base64, a windowed key as JSON with key, startMs and endMs, any other as JSON.',
  )
export const time = z.coerce.number().int()
export const howToAsk = {
  partition: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe('The partition to ask, for stores that are not partitioned by the murmur2 of their keys.'),
  isolation: isolationSchema
    .optional()
    .describe('Whether what is not committed yet is seen; defaults to the setting queryIsolation.'),
  standby: z
    .enum(['true', 'false'])
    .optional()
    .describe(
      'Whether a copy, which may be behind, will do while the process that has the key does not answer.',
    ),
  timeoutMs: z.coerce
    .number()
    .int()
    .min(0)
    .max(60_000)
    .optional()
    .describe(
      'How long to wait for a store that moves or is restored; defaults to the setting queryTimeoutMs.',
    ),
}

/** What a request may say of how it is to be answered. */
export interface Asked {
  readonly partition?: number | undefined
  readonly isolation?: QueryOptions['isolation'] | undefined
  readonly timeoutMs?: number | undefined
  readonly standby?: 'true' | 'false' | undefined
}

/** Finds the partition of a key given as text. */
export const locate = (
  pages: PageReader,
  store: string,
  text: string,
  options: Asked,
): Promise<{ readonly listing: StoreListing; readonly partition: number; readonly bytes: Bytes }> =>
  pages.patiently(asked(options), async () => {
    const { directory } = pages
    const listing = directory.store(store)
    const key = parseKey(listing.definition.key, text)
    return {
      listing,
      partition: options.partition ?? directory.partitionOf(store, key),
      bytes: keyBytes(listing, text),
    }
  })

export const keyBytes = ({ definition }: StoreListing, text: string): Bytes =>
  serialized(definition.key as unknown as Serde<unknown>, parseKey(definition.key, text) as never)

/** Only what was said: the defaults are the application's. */
export const asked = ({ partition, isolation, timeoutMs, standby }: Asked): QueryOptions => ({
  ...(partition === undefined ? {} : { partition }),
  ...(isolation === undefined ? {} : { isolation }),
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
  ...(standby === undefined ? {} : { standby: standby === 'true' }),
})

/** A row as JSON. */
export const rowAnswer = ({ definition }: StoreListing, partition: number, row: StoreRow): unknown => {
  const { key, value, ...times } = readRow(definition, row)
  return { partition, key: jsonValueOf(key), value: jsonValueOf(value), ...times }
}
