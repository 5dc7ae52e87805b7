import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A conformance scenario as its file says it: a topology, the records fed to it one at a time, and what Apache Kafka
 * Streams made of them. README.md beside the data explains every field.
 */
export interface Scenario {
  readonly name: string
  readonly about?: string
  readonly config?: ScenarioConfig
  readonly topology: readonly Operator[]
  readonly types?: Readonly<Record<string, string>>
  readonly describe?: DescribedFacts
  readonly steps: readonly Step[]
  readonly expected: readonly (readonly OutputRecord[])[]
  readonly stores?: Readonly<Record<string, readonly StoreRow[]>>
  readonly droppedRecords?: number
  /** What Kafka Streams failed with, at the latest in the last step; Millrace has to fail too. */
  readonly kafkaStreamsError?: string
}

export interface ScenarioConfig {
  readonly optimize?: boolean
  /** Headers are part of what is piped and of what is expected. */
  readonly headers?: boolean
  /** The size of Kafka Streams' record cache (`statestore.cache.max.bytes`); recorded without one if it is missing or 0. */
  readonly cacheBytes?: number
}

export interface DescribedFacts {
  readonly subtopologies: number
  readonly globalStores: number
  readonly repartitionTopics: readonly string[]
  readonly changelogTopics: readonly string[]
}

export type Step =
  | {
      readonly pipe: {
        readonly topic: string
        readonly key: Key
        readonly value: Value
        readonly timestamp: number
        readonly headers?: TextHeaders
      }
    }
  | { readonly advanceWallClockMs: number }

/** Keys and values of scenarios: text, 64-bit integers, windowed keys as plain objects, or null. */
export type Value = string | number | null
export type Key = Value | WindowedKey
export interface WindowedKey {
  readonly key: Value
  readonly windowStart: number
  readonly windowEnd: number
}

/** Headers as pairs of a name and a text. */
export type TextHeaders = readonly (readonly [name: string, value: string | null])[]

export interface OutputRecord {
  readonly topic: string
  readonly key: Key
  readonly value: Value
  readonly timestamp: number
  readonly headers?: TextHeaders
}

export interface StoreRow {
  readonly key: Key
  readonly windowStart?: number
  readonly windowEnd?: number
  readonly value: Value
  readonly timestamp?: number
}

/** A named function with its parameters. */
export interface FunctionCall {
  readonly fn: string
  readonly [parameter: string]: unknown
}

/** One operator; which fields it has depends on `op`, so every field is read through `field`. */
export interface Operator {
  readonly op: string
  readonly id?: string
  readonly [field: string]: unknown
}

/** A file of scenarios, with the path it was read from. */
export interface ScenarioFile {
  readonly path: string
  readonly scenario: Scenario
}

/** Every scenario under a folder, by path. A file holds one scenario, or an array of them. */
export const readScenarios = (folder: string): readonly ScenarioFile[] =>
  jsonFilesUnder(folder).flatMap((path) => {
    const content = parse(path)
    const scenarios = (Array.isArray(content) ? content : [content]) as readonly Scenario[]
    return scenarios.map((scenario) => ({ path, scenario: checked(path, scenario) }))
  })

const parse = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new Error(`${path} is not JSON`, { cause })
  }
}

const checked = (path: string, scenario: Scenario): Scenario => {
  for (const field of ['topology', 'steps', 'expected'] as const)
    if (!Array.isArray(scenario[field])) throw new Error(`${path} is no scenario: it has no ${field}`)
  return scenario
}

const jsonFilesUnder = (path: string): readonly string[] => {
  if (statSync(path).isFile()) return path.endsWith('.json') ? [path] : []
  return readdirSync(path)
    .toSorted()
    .flatMap((entry) => jsonFilesUnder(join(path, entry)))
}
