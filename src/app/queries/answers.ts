import * as z from 'zod'
import { problemSchema } from './problem.ts'
import type { SchemaName } from './route.ts'
import { storePageSchema } from './wire.ts'

/** What the HTTP interface answers, as schemas by name: they stand in the OpenAPI document, and tests hold answers to them. */
const whole = z.int()
const timeMs = z.int().describe('Milliseconds since the epoch.')

const owners = z.object({
  partition: whole,
  active: z.string().optional().describe('`host:port` of the process whose task writes it.'),
  standbys: z.array(z.string()).describe('`host:port` of the processes that keep a copy.'),
  isHere: z.boolean().describe('True where the process that answers has it.'),
})

const store = z.object({
  name: z.string(),
  kind: z.enum(['table', 'keyValue', 'versioned', 'window', 'session']),
  key: z.string().describe('The serde of keys.'),
  value: z.string().describe('The serde of values.'),
  partitions: whole,
  isGlobal: z.boolean().describe('True where every process has all of it.'),
})

const row = z.object({
  partition: whole,
  key: z.unknown().describe('As JSON: bytes as base64, bigints as digits, dates as ISO 8601.'),
  value: z.unknown().describe('As JSON, by the same rules.'),
  timestamp: z.int().optional().describe('The time of the value, in milliseconds since the epoch.'),
  startMs: timeMs.optional(),
  endMs: timeMs.optional(),
  validToMs: z.int().optional().describe('When the next version took over; absent for the latest.'),
})

const state = z.enum(['starting', 'rebalancing', 'running', 'paused', 'closing', 'closed', 'failed'])

export const answerSchemas: Readonly<Record<SchemaName, z.ZodType>> = {
  Problem: problemSchema,
  StoreList: z.object({ stores: z.array(store) }),
  Store: store.extend({ owners: z.array(owners) }),
  KeyOwner: owners,
  Row: row,
  Page: z.object({
    rows: z.array(row),
    after: z.string().optional().describe('Give this as `after` for the next page; absent at the end.'),
  }),
  StorePage: storePageSchema,
  Liveness: z.object({
    state,
    failure: z.string().optional().describe('The code of the fault that ended it.'),
  }),
  Readiness: z.object({
    state,
    ready: z.boolean(),
    connected: z.boolean(),
    tasks: z.array(z.string()),
    standbyTasks: z
      .array(z.object({ task: z.string(), lag: whole }))
      .describe('The copies that are kept here, and how many records each is behind.'),
    restoring: z.array(
      z.object({
        store: z.string(),
        partition: whole,
        restoredRecords: whole,
        remainingRecords: whole,
      }),
    ),
  }),
  Metrics: z.object({
    processedRecords: whole,
    producedRecords: whole,
    commits: whole,
    restoredRecords: whole,
    dropped: z.array(z.object({ node: z.string(), reason: z.string(), records: whole })),
  }),
  OpenApi: z.object({ openapi: z.string(), info: z.unknown(), paths: z.unknown(), components: z.unknown() }),
}
