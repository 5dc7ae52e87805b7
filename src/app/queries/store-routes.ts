import * as z from 'zod'
import { Fault } from '../../base/fault.ts'
import { printable } from '../../base/printable.ts'
import type { StoreListing } from '../../runtime/store-directory.ts'
import type { StoreQuery } from '../../state/store-query.ts'
import { entryParameters, listEntries } from './entries.ts'
import { parseKey } from './key-text.ts'
import { checkPageRequest } from './page-place.ts'
import { localPagesPath } from './member-client.ts'
import type { PageReader } from './page-reader.ts'
import { kindOf } from './queries.ts'
import type { Route } from './route.ts'
import { noParameters, ok, route } from './route.ts'
import { asked, howToAsk, keyText, locate, rowAnswer, storeName, time } from './store-request.ts'
import { encodePage, pageRequestSchema } from './wire.ts'

const problem = (description: string): { readonly description: string; readonly schema: 'Problem' } => ({
  description,
  schema: 'Problem',
})
const failures = {
  400: problem('The request is wrong.'),
  404: problem('There is no such store.'),
  503: problem(
    'The store moves, is being restored, its process does not answer, or too many reads wait there already.',
  ),
}

/** The routes that read stores. */
export const storeRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/stores',
    operationId: 'listStores',
    summary: 'The stores that can be asked.',
    parameters: noParameters,
    responses: { 200: { description: 'All stores.', schema: 'StoreList' }, 503: failures[503] },
    handle: (_request, { directory }) => ok({ stores: directory.stores.map(describe) }),
  }),
  route({
    method: 'GET',
    path: '/stores/{store}',
    operationId: 'describeStore',
    summary: 'One store, and who has its partitions.',
    parameters: z.strictObject({ store: storeName }),
    responses: {
      200: { description: 'The store.', schema: 'Store' },
      404: failures[404],
      503: failures[503],
    },
    handle: ({ parameters: { store } }, pages) => {
      const listing = pages.directory.store(store)
      const owners = pages.partitionsOf(store, {}).map((partition) => ownersOf(pages, store, partition))
      return ok({ ...describe(listing), owners })
    },
  }),
  route({
    method: 'GET',
    path: '/stores/{store}/owner',
    operationId: 'findOwner',
    summary: 'Who has a key.',
    parameters: z.strictObject({ store: storeName, key: keyText }),
    responses: { 200: { description: 'Where the key lies.', schema: 'KeyOwner' }, ...failures },
    handle: ({ parameters: { store, key } }, pages) => {
      const { definition } = pages.directory.store(store)
      const partition = pages.directory.partitionOf(store, parseKey(definition.key, key))
      return ok(ownersOf(pages, store, partition))
    },
  }),
  route({
    method: 'GET',
    path: '/stores/{store}/value',
    operationId: 'readValue',
    summary: 'What a key-value or versioned store holds for a key, from whichever process has it.',
    parameters: z.strictObject({
      store: storeName,
      key: keyText,
      asOfMs: time.optional().describe('The version that held at this time, for versioned stores.'),
      ...howToAsk,
    }),
    responses: {
      200: { description: 'The row.', schema: 'Row' },
      ...failures,
      404: problem('There is no such store, or it does not hold this key.'),
    },
    handle: async ({ parameters: { store, key, asOfMs, ...options } }, pages) => {
      const place = await locate(pages, store, key, options)
      const query: StoreQuery = { kind: 'get', key: place.bytes, asOfMs }
      const request = { store, partition: place.partition, query, limit: 1 }
      const { rows } = await pages.read(request, asked(options))
      if (rows[0] === undefined) throw unknownKey(store, key)
      return ok(rowAnswer(place.listing, place.partition, rows[0]))
    },
  }),
  route({
    method: 'GET',
    path: '/stores/{store}/entries',
    operationId: 'listEntries',
    summary: 'Rows of a store, page by page, from all processes.',
    description:
      'Partition by partition: key-value and versioned stores by the bytes of their keys, windows by start and sessions by end. Rows that change between two pages may be seen as they were or as they are.',
    parameters: entryParameters,
    responses: { 200: { description: 'A page.', schema: 'Page' }, ...failures },
    handle: ({ parameters }, pages) => listEntries(parameters, pages),
  }),
  route({
    method: 'POST',
    path: localPagesPath,
    operationId: 'readHere',
    summary: 'Between processes of one application: a page of what this one has itself. Never handed on.',
    parameters: noParameters,
    body: pageRequestSchema,
    caller: 'member',
    responses: {
      200: { description: 'The page, keys and values as base64.', schema: 'StorePage' },
      ...failures,
      421: problem('This process does not have that partition.'),
    },
    handle: async ({ body }, pages) => {
      checkPageRequest(pages.directory.store(body.store), body)
      return ok(encodePage(await pages.readHere(body)))
    },
  }),
]

const describe = ({ definition, partitions, isGlobal }: StoreListing): object => ({
  name: definition.name,
  kind: kindOf(definition),
  key: definition.key.name,
  value: definition.value.name,
  partitions,
  isGlobal,
})

const ownersOf = (pages: PageReader, store: string, partition: number): unknown => ({
  ...pages.directory.ownersOf(store, partition),
  isHere: pages.isHere(store, partition),
})

const unknownKey = (store: string, key: string): Fault =>
  new Fault({
    code: 'KEY_UNKNOWN',
    actor: 'author',
    message: `store '${store}' holds nothing for the key '${printable(key)}'`,
    place: { store },
  })
