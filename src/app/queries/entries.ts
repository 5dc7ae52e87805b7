import * as z from 'zod'
import type { Bytes } from '../../base/bytes.ts'
import type { StoreListing } from '../../runtime/store-directory.ts'
import type { PageRequest, StoreQuery } from '../../state/store-query.ts'
import { badQuery, parsePrefix } from './key-text.ts'
import { checkPageRequest } from './page-place.ts'
import type { PageReader } from './page-reader.ts'
import { kindOf } from './queries.ts'
import type { RouteAnswer } from './route.ts'
import { ok } from './route.ts'
import { asked, howToAsk, keyBytes, keyText, locate, rowAnswer, storeName, time } from './store-request.ts'
import { maxPageRows } from './wire.ts'

/** The route that lists rows, a page at a time: what it takes, and how that becomes a query of each partition. */
export const entryParameters = z.strictObject({
  store: storeName,
  key: keyText
    .optional()
    .describe('Windows, sessions or versions of this key alone. Key-value stores are asked by /value.'),
  from: keyText.optional().describe('The smallest key, for key-value and versioned stores.'),
  to: keyText.optional().describe('The largest key, for key-value and versioned stores.'),
  prefix: z
    .string()
    .optional()
    .describe('What keys begin with, for key-value stores whose keys are text or bytes.'),
  reverse: z
    .enum(['true', 'false'])
    .optional()
    .describe('From the largest key down, for key-value and versioned stores.'),
  fromMs: time.optional().describe('The earliest start of a window, end of a session, or end of a version.'),
  toMs: time
    .optional()
    .describe(
      'The latest start of a window (or of a session of one key), end of a session, or time of a version.',
    ),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(maxPageRows)
    .default(100)
    .describe('The most rows of this page; large rows end it earlier.'),
  after: z.string().optional().describe('What the last page gave, for the next one.'),
  ...howToAsk,
})

type Entries = z.output<typeof entryParameters>

/** An answer ends with the page that reaches this, whatever its limit. */
const answerBytes = 1024 * 1024

/** One page, filled from one partition after the other. */
export const listEntries = async (parameters: Entries, pages: PageReader): Promise<RouteAnswer> => {
  const { store, key, limit } = parameters
  const listing = await pages.patiently(asked(parameters), async () => pages.directory.store(store))
  const query = entriesQuery(parameters, listing)
  const partition = key === undefined ? undefined : (await locate(pages, store, key, parameters)).partition
  const options = asked({ ...parameters, partition: partition ?? parameters.partition })
  const rows: unknown[] = []
  let bytes = 0
  const { after: token, limit: _limit, ...continued } = parameters
  const same = JSON.stringify(continued)
  let start = token === undefined ? undefined : pages.tokens.decode(token, same)
  for (const each of pages.partitionsOf(store, options)) {
    if (start !== undefined && each < start.partition) continue
    const after = each === start?.partition ? start.after : undefined
    const request: PageRequest = { store, partition: each, query, limit: limit - rows.length, after }
    checkPageRequest(listing, request)
    const page = await pages.read(request, options)
    for (const row of page.rows) rows.push(rowAnswer(listing, each, row))
    start = { partition: page.after === undefined ? each + 1 : each, after: page.after }
    for (const row of page.rows) bytes += row.key.length + row.value.length
    if (rows.length === limit || page.after !== undefined || bytes >= answerBytes) break
  }
  const last = options.partition ?? listing.partitions - 1
  const isOver = start === undefined || start.partition > last
  return ok(
    isOver ? { rows } : { rows, after: pages.tokens.encode(start as NonNullable<typeof start>, same) },
  )
}

const entriesQuery = (parameters: Entries, listing: StoreListing): StoreQuery => {
  const { key, from, to, prefix, reverse, fromMs, toMs } = parameters
  const { definition } = listing
  const bytes = (text: string | undefined): Bytes | undefined =>
    text === undefined ? undefined : keyBytes(listing, text)
  const byTime = definition.kind === 'window' || definition.kind === 'session'
  if (byTime || (definition.kind === 'versioned' && key !== undefined)) {
    refuse(listing, { from, to, prefix, reverse })
    if (key === undefined) return { kind: 'time', fromMs, toMs }
    return { kind: 'key', key: keyBytes(listing, key), fromMs, toMs }
  }
  refuse(listing, { key, fromMs, toMs })
  if (prefix === undefined)
    return { kind: 'range', from: bytes(from), to: bytes(to), reverse: reverse === 'true' }
  refuse(listing, { from, to, reverse, ...(definition.kind === 'versioned' ? { prefix } : {}) })
  return { kind: 'prefix', prefix: parsePrefix(definition.key, prefix) }
}

/** Parameters that this query has no use for are refused, and not ignored. */
const refuse = ({ definition }: StoreListing, parameters: Readonly<Record<string, unknown>>): void => {
  const useless = Object.entries(parameters).find(([, value]) => value !== undefined)
  if (useless === undefined) return
  throw badQuery(
    `'${useless[0]}' says nothing in this query of the ${kindOf(definition)} store '${definition.name}'`,
  )
}
