import type { Stream, Table, Topic, TopologyBuilder } from 'millrace'
import { topic } from 'millrace'
import type { GroupedStream } from 'millrace'
import type { CogroupedStream } from '../../src/dsl/cogrouped-stream.ts'
import type { GlobalTable } from '../../src/dsl/global-table.ts'
import type { GroupedTable } from '../../src/dsl/grouped-table.ts'
import type { SessionWindowedStream, TimeWindowedStream } from '../../src/dsl/windowed-stream.ts'
import type { DataType } from './data-types.ts'
import { nullableSerde } from './data-types.ts'
import type { Datum } from './functions.ts'
import type { Operator } from './scenario.ts'

/** What an id of a scenario stands for, with the types of its keys and values. */
export type Entry =
  | (Types & { readonly kind: 'stream'; readonly stream: Stream<Datum, Datum> })
  | (Types & { readonly kind: 'table'; readonly table: Table<Datum, Datum> })
  | (Types & { readonly kind: 'globalTable'; readonly globalTable: GlobalTable<Datum, Datum> })
  | (Types & { readonly kind: 'groupedStream'; readonly grouped: GroupedStream<Datum, Datum> })
  | (Types & { readonly kind: 'groupedTable'; readonly grouped: GroupedTable<Datum, Datum> })
  | (Types & { readonly kind: 'cogrouped'; readonly cogrouped: CogroupedStream<Datum, Datum> })
  | (Types & {
      readonly kind: 'timeWindowed'
      readonly windowed: TimeWindowedStream<Datum, Datum>
      readonly emit: WindowEmit
      readonly windowedKey: DataType
    })
  | (Types & {
      readonly kind: 'sessionWindowed'
      readonly windowed: SessionWindowedStream<Datum, Datum>
      readonly emit: WindowEmit
      readonly windowedKey: DataType
    })

export type WindowEmit = 'onUpdate' | 'onWindowClose'
export interface Types {
  readonly key: DataType
  readonly value: DataType
}
export type EntryOf<Kind extends Entry['kind']> = Extract<Entry, { kind: Kind }>

/** What has been built of a scenario so far: entries by id, and the topics it reads and writes. */
export class Scope {
  readonly builder: TopologyBuilder
  readonly entries: Map<string, Entry> = new Map()
  readonly inputs: Map<string, Topic<Datum, Datum>> = new Map()
  readonly outputs: Map<string, Topic<Datum, Datum>> = new Map()

  constructor(builder: TopologyBuilder) {
    this.builder = builder
  }

  define(operator: Operator, entry: Entry): void {
    this.entries.set(text(operator, 'id'), entry)
  }

  entry(id: string): Entry {
    const entry = this.entries.get(id)
    if (entry === undefined) throw new Error(`no operator before this one has the id '${id}'`)
    return entry
  }

  /** The entry of that id, which has to be of one of these kinds. */
  of<Kind extends Entry['kind']>(id: string, ...kinds: readonly Kind[]): EntryOf<Kind> {
    const entry = this.entry(id)
    if ((kinds as readonly string[]).includes(entry.kind)) return entry as EntryOf<Kind>
    throw new Error(`'${id}' is a ${entry.kind}, where a ${kinds.join(' or ')} is wanted`)
  }

  input(name: string, value: DataType): Topic<Datum, Datum> {
    return this.#topic(this.inputs, name, 'string', value)
  }

  output(name: string, { key, value }: Types): Topic<Datum, Datum> {
    return this.#topic(this.outputs, name, key, value)
  }

  #topic(
    known: Map<string, Topic<Datum, Datum>>,
    name: string,
    key: DataType,
    value: DataType,
  ): Topic<Datum, Datum> {
    const existing = known.get(name)
    if (existing !== undefined) return existing
    const made: Topic<Datum, Datum> = topic(name, { key: nullableSerde(key), value: nullableSerde(value) })
    known.set(name, made)
    return made
  }
}

/** A text field of an operator. */
export const text = (operator: Operator, field: string): string => {
  const value = operator[field]
  if (typeof value === 'string') return value
  throw new Error(`operator '${operator.op}' needs the text field '${field}'`)
}

export const optionalText = (operator: Operator, field: string): string | undefined =>
  operator[field] === undefined ? undefined : text(operator, field)

export const optionalNumber = (
  fields: Readonly<Record<string, unknown>>,
  field: string,
): number | undefined => (fields[field] === undefined ? undefined : Number(fields[field]))

/** The fields that are given, for options that may not be undefined. */
export const given = <T extends object>(options: T): { [Name in keyof T]: Exclude<T[Name], undefined> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
