import type { StateStore } from '../state/store.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import { oneRow } from '../topic/record-columns.ts'
import { DeserializationFault, StreamRecord } from '../topic/record.ts'
import type { AnyRecord, NodeOf } from '../topology/node.ts'
import type { TaskFailure } from './ports.ts'
import type { FailureDecision } from './task.ts'
import { faultOf, keyOf } from './record-fault.ts'

/** The topic partition that rows of a global table come from, and the node that reads it. */
export interface GlobalRowsOrigin {
  readonly source: NodeOf<'tableSource'>
  readonly partition: number
}

type RowFailureHandler = (failure: TaskFailure, record: AnyRecord) => FailureDecision

/**
 * Applies rows of a topic to the store of a global table. Where one cannot be read, all are applied once more, one by one,
 * so that its neighbours stay; `onFailure` then decides as for any record that cannot be deserialized: `fail` throws the
 * row's fault, `continue` leaves it out.
 */
export const applyGlobalRows = (
  store: StateStore,
  columns: RecordColumns,
  origin: GlobalRowsOrigin,
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
  { source, partition }: GlobalRowsOrigin,
  onFailure: RowFailureHandler,
): void => {
  try {
    store.restore(oneRow(columns, row))
  } catch (error) {
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
}
