import { isA } from '../base/thrown.ts'
import type { StateStore } from '../state/store.ts'
import { RowNotRestored } from '../state/unreadable-row.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import { rowsOf } from '../topic/latest-by-key.ts'
import { oneRow } from '../topic/record-columns.ts'
import { DeserializationFault, StreamRecord } from '../topic/record.ts'
import type { AnyRecord, NodeOf } from '../topology/node.ts'
import type { SourceTopic } from '../topology/node-topic.ts'
import type { TaskFailure } from './ports.ts'
import type { FailureDecision } from './task.ts'
import { faultOf, keyOf } from './record-fault.ts'
import { deserialized } from '../topic/serde.ts'

/** The topic partition that rows of a table come from, and the node that reads it. */
export interface SourceRowsOrigin {
  readonly source: NodeOf<'tableSource'>
  readonly partition: number
}

export type RowFailureHandler = (failure: TaskFailure, record: AnyRecord) => FailureDecision

/**
 * Applies rows of a topic to the store of a global table. Where one cannot be read, all are applied once more, one by one,
 * so that its neighbours stay; `onFailure` then decides as for any record that cannot be deserialized: `fail` throws the
 * row's fault, `continue` leaves it out.
 */
export const applyGlobalRows = (
  store: StateStore,
  columns: RecordColumns,
  origin: SourceRowsOrigin,
  onFailure: RowFailureHandler,
): void => {
  try {
    store.restore(columns)
  } catch {
    for (let row = 0; row < columns.count; row++) applyRow(store, columns, row, origin, onFailure)
  }
}

const applyRow = (
  store: StateStore,
  columns: RecordColumns,
  row: number,
  { source, partition }: SourceRowsOrigin,
  onFailure: RowFailureHandler,
): void => {
  try {
    store.restore(oneRow(columns, row))
  } catch (error) {
    const cause = isA(error, RowNotRestored) ? error.cause : error
    failRow(columns, row, { source, partition }, onFailure, cause)
  }
}

/**
 * The rows of a source topic that its serdes read, where the topic serves as the changelog of its table: what was left out
 * when it was processed is left out of a restoration too, so that the row before it stays.
 */
export const readableRows = (
  columns: RecordColumns,
  origin: SourceRowsOrigin,
  onFailure: RowFailureHandler,
): RecordColumns => {
  const rows: number[] = []
  for (let row = 0; row < columns.count; row++)
    try {
      readRow(columns, row, origin.source.topic)
      rows.push(row)
    } catch (error) {
      failRow(columns, row, origin, onFailure, error)
    }
  return rows.length === columns.count ? columns : rowsOf(columns, rows)
}

const readRow = (columns: RecordColumns, row: number, { key, value }: SourceTopic): void => {
  const { buffer, keyStarts, keyEnds, valueStarts, valueEnds } = columns
  const [keyStart, valueStart] = [keyStarts[row] as number, valueStarts[row] as number]
  if (keyStart >= 0) deserialized(key, buffer, keyStart, keyEnds[row] as number)
  if (valueStart >= 0) deserialized(value, buffer, valueStart, valueEnds[row] as number)
}

/** Throws the fault of a row that cannot be read, unless its policy leaves it out. */
const failRow = (
  columns: RecordColumns,
  row: number,
  { source, partition }: SourceRowsOrigin,
  onFailure: RowFailureHandler,
  error: unknown,
): void => {
  const { name: topic, key, value } = source.topic
  const record = StreamRecord.read(
    { columns, key, value, topic, partition },
    row,
    columns.timestamps[row] as number,
  )
  const place = { topic, partition, offset: columns.offsets[row] as number }
  const stage = 'deserialization'
  const fault = faultOf({
    node: source.name,
    stage,
    origin: place,
    key: keyOf(record),
    error: new DeserializationFault(error),
  })
  if (onFailure({ node: source.name, stage, origin: place, fault }, record) === 'fail') throw fault
}
