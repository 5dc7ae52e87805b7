import type { TimestampedKeyValueStore } from '../../state/store.ts'
import type { AnyRecord, Change } from '../../topology/node.ts'
import type { NodeContext, TableView } from '../node-context.ts'
import { changeOf, step } from '../node-context.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'

type TableStore = TimestampedKeyValueStore<unknown, unknown>

/** A topic read as a table (`KTableSource`): each record replaces its row; a null value deletes it. */
export const interpretTableSource: Interpreter<'tableSource'> = (node, inputs, context) =>
  materialise(context, node.name, node.store, onlyInput(inputs))

/** A stream read as a table; the same from here on. */
export const interpretToTable: Interpreter<'toTable'> = (node, inputs, context) =>
  materialise(context, node.name, node.store, onlyInput(inputs))

/** The updates of a table as records of a stream. */
export const interpretToStream: Interpreter<'toStream'> = (node, inputs, context) =>
  step(context, node.name, onlyInput(inputs), (record, emit) =>
    emit.next(record.withValue((record.value as Change<unknown>).newValue)),
  )

/** The rows for which a predicate holds (`KTableFilter`). */
export const interpretTableFilter: Interpreter<'tableFilter'> = (node, inputs, context) => {
  const kept = node.verb === 'filter'
  const test = (key: unknown, value: unknown): unknown =>
    value !== null && node.predicate(key, value) === kept ? value : null
  return derived(context, node, onlyInput(inputs), test, true)
}

/** A new value for every row (`KTableMapValues`). */
export const interpretTableMapValues: Interpreter<'tableMapValues'> = (node, inputs, context) => {
  const transform = (key: unknown, value: unknown): unknown =>
    value === null ? null : node.transform(value, key)
  return derived(context, node, onlyInput(inputs), transform, false)
}

/** A table computed row by row from the one above, kept in a store where it has one. */
const derived = (
  context: NodeContext,
  node: { readonly name: string; readonly from: readonly string[]; readonly store?: string | undefined },
  input: ReturnType<typeof onlyInput>,
  compute: (key: unknown, value: unknown) => unknown,
  dropsUnchangedDeletions: boolean,
): ReturnType<typeof onlyInput> => {
  const store = node.store === undefined ? undefined : context.store<TableStore>(node.store)
  const parent = context.views.get(node.from[0] as string)
  context.views.set(node.name, store === undefined ? computedView(parent, compute) : storeView(store))
  return step(context, node.name, input, (record, emit) => {
    const change = record.value as Change<unknown>
    const newValue = compute(record.key, change.newValue)
    const oldValue = store?.get(record.key)?.value ?? compute(record.key, change.oldValue)
    if (dropsUnchangedDeletions && newValue === null && oldValue === null) return
    store?.put(record.key, newValue, record.timestamp)
    emit.next(record.withValue(changeOf(newValue, oldValue, change.isLatest)))
  })
}

const materialise = (
  context: NodeContext,
  node: string,
  storeName: string,
  input: ReturnType<typeof onlyInput>,
): ReturnType<typeof onlyInput> => {
  const store = context.store<TableStore>(storeName)
  context.views.set(node, storeView(store))
  return step(context, node, input, (record, emit) => {
    if (record.hasNullKey) return context.drop('nullKey', node, record)
    emit.next(replaceRow(store, record))
  })
}

const replaceRow = (store: TableStore, record: AnyRecord): AnyRecord => {
  const old = store.get(record.key)
  store.put(record.key, record.value, record.timestamp)
  return record.withValue(changeOf(record.value, old?.value ?? null))
}

const storeView = (store: TableStore): TableView => ({ get: (key) => store.get(key) })

const computedView = (
  parent: TableView | undefined,
  compute: (key: unknown, value: unknown) => unknown,
): TableView => ({
  get: (key) => {
    const row = parent?.get(key) ?? null
    const value = row === null ? null : compute(key, row.value)
    return row === null || value === null ? null : { value, timestamp: row.timestamp }
  },
})
