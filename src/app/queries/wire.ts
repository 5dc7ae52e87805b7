import * as z from 'zod'
import type { PageRequest, StorePage } from '../../state/store-query.ts'
import { base64Decode, base64Encode } from './base64.ts'

/**
 * Pages as processes of one application hand them to each other: keys and values as base64 of their own bytes, so that
 * the caller reads them with the very serdes of the store.
 */
const bytes = z.codec(z.base64(), z.instanceof(Uint8Array), {
  decode: (text) => base64Decode(text) as Uint8Array<ArrayBuffer>,
  encode: (value) => base64Encode(value),
})
const time = z.int().optional()
export const placeSchema = z.object({ key: bytes, time, second: time })

const query = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('get'), key: bytes, asOfMs: time }),
  z.object({ kind: z.literal('key'), key: bytes, fromMs: time, toMs: time }),
  z.object({
    kind: z.literal('range'),
    from: bytes.optional(),
    to: bytes.optional(),
    reverse: z.boolean().optional(),
  }),
  z.object({ kind: z.literal('prefix'), prefix: bytes }),
  z.object({ kind: z.literal('time'), fromMs: time, toMs: time }),
])

export const isolationSchema: z.ZodType<'read_committed' | 'read_uncommitted'> = z.enum([
  'read_committed',
  'read_uncommitted',
])

export const maxPageRows = 1_000

export const pageRequestSchema = z.object({
  store: z.string(),
  partition: z.int().min(0),
  query,
  limit: z.int().min(1).max(maxPageRows),
  after: placeSchema.optional(),
  isolation: isolationSchema,
  copy: z.boolean().optional(),
})

export const storePageSchema = z.object({
  rows: z.array(
    z.object({
      key: bytes,
      value: bytes,
      timestamp: time,
      startMs: time,
      endMs: time,
      validToMs: time,
    }),
  ),
  after: placeSchema.optional(),
})

export type WireRequest = PageRequest & { readonly isolation: 'read_committed' | 'read_uncommitted' }

export const encodeRequest = (request: WireRequest): unknown =>
  z.encode(pageRequestSchema, request as z.output<typeof pageRequestSchema>)
export const encodePage = (page: StorePage): unknown =>
  z.encode(storePageSchema, page as z.output<typeof storePageSchema>)
export const decodePage = (json: unknown): StorePage => storePageSchema.parse(json)
