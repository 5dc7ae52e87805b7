import type { Observable } from 'rxjs'
import { Fault } from '../../base/fault.ts'
import { shown } from '../../base/shown.ts'
import { optionalResultOf, resultOf } from '../../topology/callback-results.ts'
import type { AnyRecord, Change, NodeOf } from '../../topology/node.ts'
import { tableSemanticsOf } from '../../topology/table-semantics.ts'
import type { NodeContext, TableView } from '../node-context.ts'
import { changeOf } from '../node-context.ts'
import { step } from '../step.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'
import { Outputs } from './process.ts'
import { tableStore } from './table-store.ts'

/** A topic read as a table (`KTableSource`): each record replaces its row; a null value deletes it. */
export const interpretTableSource: Interpreter<'tableSource'> = (node, inputs, context) =>
  kept(context, node.name, node.store, onlyInput(inputs))

/** A stream read as a table; the same from here on. */
export const interpretToTable: Interpreter<'toTable'> = (node, inputs, context) =>
  kept(context, node.name, node.store, onlyInput(inputs))

/** The updates of a table as records of a stream, those out of order too. */
export const interpretToStream: Interpreter<'toStream'> = (node, inputs, context) =>
  step(context, node.name, onlyInput(inputs), (record, emit) =>
    emit.next(record.withValue((record.value as Change<unknown>).newValue)),
  )

/**
 * The rows for which a predicate holds (`KTableFilter`). A row that stops holding is deleted; where old values are known,
 * a row that never held stays unsaid.
 */
export const interpretTableFilter: Interpreter<'tableFilter'> = (node, inputs, context) => {
  const kept = node.verb === 'filter'
  const { sendsOldValues, filtersByOldValues, versioned } = tableSemanticsOf(context.topology)
  const parent = node.from[0] as string
  const oldValuesKnown = sendsOldValues.has(node.name) || filtersByOldValues.has(node.name)
  return derived(node, onlyInput(inputs), context, {
    compute: (key, value) => (value !== null && node.predicate(key, value) === kept ? value : null),
    needsOldValue: oldValuesKnown,
    skipsUnchangedDeletions: oldValuesKnown && !versioned.has(parent),
  })
}

/**
 * A new value for every row (`KTableMapValues`, `KTableTransformValues`); every deletion is handed on. `mapValues` is not
 * asked what a deletion becomes, `transformValues` is, as it may have state to clear.
 */
export const interpretTableMapValues: Interpreter<'tableMapValues'> = (node, inputs, context) => {
  const transform = transformerOf(node, new Outputs(node, context).context)
  const asksAboutDeletions = node.verb === 'transformValues'
  return derived(node, onlyInput(inputs), context, {
    compute: (key, value) => {
      if (value !== null) return resultOf('the mapper', transform(value, key))
      return asksAboutDeletions ? (optionalResultOf('the mapper', transform(value, key)) ?? null) : null
    },
    needsOldValue: tableSemanticsOf(context.topology).sendsOldValues.has(node.name),
    skipsUnchangedDeletions: false,
  })
}

const transformerOf = (
  { name, transformFor }: NodeOf<'tableMapValues'>,
  outputs: Outputs['context'],
): ReturnType<typeof transformFor> => {
  const transform = optionalResultOf('the supplier of a transformer', transformFor(outputs))
  if (typeof transform === 'function') return transform
  throw new Fault({
    code: 'TRANSFORMER_INVALID',
    actor: 'author',
    message: `the supplier of '${name}' returned ${shown(transform)}`,
    remedy: 'return a function (value, key) => value',
    place: { node: name },
  })
}

interface Derivation {
  readonly compute: (key: unknown, value: unknown) => unknown
  readonly needsOldValue: boolean
  readonly skipsUnchangedDeletions: boolean
}

/** A table computed row by row from the one above, kept in a store where it has one. */
const derived = (
  node: NodeOf<'tableFilter'> | NodeOf<'tableMapValues'>,
  input: Observable<AnyRecord>,
  context: NodeContext,
  { compute, needsOldValue, skipsUnchangedDeletions }: Derivation,
): Observable<AnyRecord> => {
  const store = node.store === undefined ? undefined : tableStore(context, node.name, node.store)
  // A table above without rows of its own to show (a foreign-key join without lookups) has no view either.
  const parent = context.views.get(node.from[0] as string)
  const view = store?.view ?? (parent === undefined ? undefined : computedView(parent, compute))
  if (view !== undefined) context.views.set(node.name, view)
  const oldValueOf = ({ key }: AnyRecord, change: Change<unknown>): unknown => {
    if (!needsOldValue) return null
    return store === undefined ? compute(key, change.oldValue) : (store.get(key)?.value ?? null)
  }
  return step(context, node.name, input, (record, emit) => {
    const change = record.value as Change<unknown>
    const newValue = compute(record.key, change.newValue)
    const oldValue = oldValueOf(record, change)
    if (skipsUnchangedDeletions && newValue === null && oldValue === null) return
    const put = store?.put(record, newValue)
    if (put === 'refused') return
    emit.next(
      record.withValue(changeOf(newValue, oldValue, put === undefined ? change.isLatest : put === 'latest')),
    )
  })
}

/** Records that replace rows of a store. */
const kept = (
  context: NodeContext,
  node: string,
  storeName: string,
  input: Observable<AnyRecord>,
): Observable<AnyRecord> => {
  const store = tableStore(context, node, storeName)
  const sendsOldValues = tableSemanticsOf(context.topology).sendsOldValues.has(node)
  context.views.set(node, store.view)
  return step(context, node, input, (record, emit) => {
    if (record.hasNullKey) return context.drop('nullKey', node, record)
    const newValue = record.value ?? null
    const oldValue = sendsOldValues ? (store.get(record.key)?.value ?? null) : null
    const put = store.putRecord(record)
    if (put !== 'refused') emit.next(record.withValue(changeOf(newValue, oldValue, put === 'latest')))
  })
}

const computedView = (parent: TableView, compute: (key: unknown, value: unknown) => unknown): TableView => {
  const computed = (key: unknown, row: ReturnType<TableView['get']>): ReturnType<TableView['get']> => {
    // A row that is missing is asked about too: `transformValues` may make one of it, which has no time of its own.
    const value = compute(key, row?.value ?? null)
    return value === null ? null : { value, timestamp: row?.timestamp ?? -1 }
  }
  const get = (key: unknown): ReturnType<TableView['get']> => computed(key, parent.get(key))
  if (parent.versioned !== true) return { get }
  const getAsOf = (key: unknown, timestamp: number): ReturnType<TableView['get']> =>
    computed(key, parent.getAsOf?.(key, timestamp) ?? null)
  return { versioned: true, get, getAsOf }
}
