import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { messageOf } from '../base/fault.ts'
import type { TopologySnapshot } from '../topology/snapshot.ts'
import { usage } from './usage.ts'

/** Reads what `millrace describe --json` printed. Parts that later versions add are taken as they are. */
export const readSnapshots = (file: string): readonly TopologySnapshot[] => {
  const wayOut = `make it with: millrace describe --json FILE > ${file}`
  const parsed = snapshots.safeParse([parse(file, wayOut)].flat())
  if (parsed.success) return parsed.data as readonly TopologySnapshot[]
  const { path, message } = parsed.error.issues[0] as z.core.$ZodIssue
  throw usage(`${file} holds no topologies (${['topologies', ...path].join('.')}: ${message})`, wayOut)
}

const parse = (file: string, wayOut: string): unknown => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw usage(`${file} cannot be read: ${messageOf(cause)}`, wayOut)
  }
}

const name = z.string()
const schemas = {
  keySchema: z.looseObject({}).nullish(),
  valueSchema: z.looseObject({}).nullish(),
}
const serdes = { key: z.string(), value: z.string(), ...schemas }
const owner = z.string().nullish()
const count = z.number().nullish()

const exchange = z.looseObject({
  topic: name,
  replies: z.array(name),
  timeoutMs: count,
  attempts: z.number(),
})

const workflow = z.looseObject({
  name,
  startedBy: name,
  steps: z.array(
    z.looseObject({
      name,
      kind: z.enum(['compensable', 'pivot', 'retriable']),
      command: exchange,
      undo: exchange.nullable(),
    }),
  ),
})

const snapshots = z
  .array(
    z.looseObject({
      name: name.min(1),
      owner,
      sources: z.array(z.looseObject({ topic: name, as: name, partitions: count, owner, ...serdes })),
      sinks: z.array(z.looseObject({ topic: name, ...serdes })),
      repartitions: z.array(z.looseObject({ topic: name, partitions: count, ...serdes })),
      stores: z.array(
        z.looseObject({
          name,
          kind: name,
          changelog: name.nullish(),
          storage: name.optional(),
          windowSizeMs: count,
          retentionMs: count,
          subTopology: count,
          ...serdes,
        }),
      ),
      steps: z.array(
        z.looseObject({
          name: name.nullish(),
          verb: name,
          stores: z.array(name),
          lengths: z.record(z.string(), z.number()),
          emit: name.nullish(),
        }),
      ),
      workflows: z.array(workflow).optional(),
    }),
  )
  .min(1)
