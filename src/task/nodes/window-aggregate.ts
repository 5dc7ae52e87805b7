import type { WindowStore } from '../../state/store.ts'
import type { OnRecord } from '../step.ts'
import { step } from '../step.ts'
import { closeTimeFor } from './close-time.ts'
import { closedWindows, closesBeforeUpdate } from './closed-windows.ts'
import { updateSenderFor } from './coalesced-updates.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'
import { ownCopyFor } from './own-copy.ts'
import { WindowUpdates } from './window-updates.ts'
import { windowView } from './window-view.ts'

/**
 * Aggregates within tumbling and hopping windows (`KStreamWindowAggregate`). A window closes when its end and grace are
 * not ahead of the stream time any more, which is this node's own and common to all keys. Null values count.
 */
export const interpretWindowAggregate: Interpreter<'windowAggregate'> = (node, inputs, context) => {
  const store = context.store<WindowStore<unknown, unknown>>(node.store)
  const { sizeMs, advanceMs, graceMs } = node.windows
  const updates = new WindowUpdates({
    store,
    sizeMs,
    emit: node.emit,
    sendUpdate: updateSenderFor(context, node),
  })
  const ownCopy = ownCopyFor(context, node.store)
  const counts = node.verb === 'count'
  const closeTime = closeTimeFor(context, node, graceMs)
  const emitClosed = closedWindows(context, node, store, { sizeMs, closesAtEnd: true })
  const closesFirst = closesBeforeUpdate(context)
  context.views.set(node.name, windowView(store))
  const onRecord: OnRecord = (record, emit) => {
    if (record.hasNullKey) return context.drop('nullKey', node.name, record)
    const { key, timestamp } = record
    const closeTimeMs = closeTime.at(timestamp)
    if (closesFirst) emitClosed?.(emit, closeTimeMs, record)
    let late = 0
    let taken = 0
    updates.begin()
    const first = Math.max(0, timestamp - sizeMs + advanceMs)
    // The windows a time lies in, earliest first.
    for (let startMs = first - (first % advanceMs); startMs <= timestamp; startMs += advanceMs) {
      if (startMs + sizeMs <= closeTimeMs) {
        late++
        continue
      }
      taken++
      const old = store.fetch(key, startMs)
      const newTimestamp = old === null ? timestamp : Math.max(old.timestamp, timestamp)
      const before = old === null ? node.initial() : old.value
      const newValue = node.add(ownCopy(before), counts ? undefined : record.value, record) ?? null
      updates.add(startMs, newValue, newTimestamp, old, before)
    }
    updates.apply(record, emit)
    if (late > 0) context.dropSome('late', node.name, record, late, taken === 0)
    if (!closesFirst) emitClosed?.(emit, closeTimeMs, record)
  }
  return step(context, node.name, onlyInput(inputs), onRecord, (emit) => {
    if (emitClosed !== undefined) context.onStreamTime.push((nowMs) => emitClosed(emit, closeTime.at(nowMs)))
  })
}
