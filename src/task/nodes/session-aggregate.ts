import type { SessionStore } from '../../state/store.ts'
import { noHeaders } from '../../topic/headers.ts'
import type { Windowed } from '../../topic/windowed.ts'
import { windowed } from '../../topic/windowed.ts'
import type { AnyRecord } from '../../topology/node.ts'
import type { OnRecord } from '../step.ts'
import { step } from '../step.ts'
import { closeTimeFor } from './close-time.ts'
import { closedSessions } from './closed-windows.ts'
import { updateSenderFor } from './coalesced-updates.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'
import { ownCopyFor } from './own-copy.ts'
import { sessionView } from './window-view.ts'

/**
 * Aggregates within sessions (`KStreamSessionWindowAggregate`). A record first merges the sessions it is near to, from
 * the oldest on, and is added last. The merged sessions are deleted, each with a deletion of its own, unless the only
 * one is this very instant. A session closes when its end, the gap and the grace lie behind the stream time.
 */
export const interpretSessionAggregate: Interpreter<'sessionAggregate'> = (node, inputs, context) => {
  const store = context.store<SessionStore<unknown, unknown>>(node.store)
  const { gapMs, graceMs } = node.windows
  const sendUpdate = updateSenderFor(context, node)
  const ownCopy = ownCopyFor(context, node.store)
  const counts = node.verb === 'count'
  const emitsUpdates = node.emit !== 'onWindowClose'
  // Without its record cache, Kafka Streams drops the headers of updates and the old value of a replaced session.
  const withoutRecordCache = context.host.withoutRecordCache === true
  const updateOf = withoutRecordCache ? resultWithoutHeaders : resultOf
  const emitClosed = closedSessions(context, node, store)
  const closeTime = closeTimeFor(context, node, graceMs + gapMs)
  let largestEndMs = -Infinity
  context.views.set(node.name, sessionView(store))

  const put = (session: Windowed<unknown>, value: unknown, timestamp: number): void => {
    store.put(session, value, timestamp)
    if (session.endMs > largestEndMs) largestEndMs = session.endMs
  }
  /** A refused aggregate leaves the merged sessions as they were. */
  const replace = (
    deleted: readonly Session[],
    session: Windowed<unknown>,
    newValue: unknown,
    timestamp: number,
  ): void => {
    for (const [old] of deleted) put(old, null, timestamp)
    try {
      put(session, newValue, timestamp)
    } catch (error) {
      for (const [old, value] of deleted) store.put(old, value, timestamp)
      throw error
    }
  }
  const sessionsNear = ({ key, timestamp }: AnyRecord): readonly Session[] =>
    [...store.findSessions(key, timestamp - gapMs, timestamp + gapMs)].filter(
      ([{ endMs }]) => endMs > Math.min(largestEndMs, closeTime.heldMs) - node.retentionMs,
    )
  const onRecord: OnRecord = (record, emit) => {
    if (record.hasNullKey) return context.drop('nullKey', node.name, record)
    const { key, timestamp } = record
    const closeTimeMs = closeTime.at(timestamp)
    const merged = sessionsNear(record)
    const session = spanOf(windowed(key, timestamp, timestamp), merged)
    if (session.endMs < closeTimeMs) return context.drop('late', node.name, record)
    const before = merged.reduce((left, [, right]) => node.merge(key, left, ownCopy(right)), node.initial())
    const newValue = node.add(before, counts ? undefined : record.value, record) ?? null
    const isSameInstant = session.startMs === timestamp && session.endMs === timestamp
    const deleted = isSameInstant ? noSessions : merged
    replace(deleted, session, newValue, timestamp)
    if (emitsUpdates) {
      for (const [old, value] of deleted) sendUpdate(emit, updateOf(record, old), null, value)
      // A merged session was deleted; one of the same instant is replaced.
      const oldValue = isSameInstant && !withoutRecordCache ? (merged[0]?.[1] ?? null) : null
      sendUpdate(emit, updateOf(record, session), newValue, oldValue)
    }
    emitClosed?.(emit, closeTimeMs, record)
  }
  return step(context, node.name, onlyInput(inputs), onRecord, (emit) => {
    if (emitClosed !== undefined) context.onStreamTime.push((nowMs) => emitClosed(emit, closeTime.at(nowMs)))
  })
}

const noSessions: readonly Session[] = []

type Session = readonly [Windowed<unknown>, unknown]

/** The session that spans the record's instant and all it merges. */
const spanOf = (instant: Windowed<unknown>, merged: readonly Session[]): Windowed<unknown> =>
  merged.reduce(
    (span, [{ startMs, endMs }]) =>
      windowed(span.key, Math.min(span.startMs, startMs), Math.max(span.endMs, endMs)),
    instant,
  )

const resultOf = (record: AnyRecord, session: Windowed<unknown>): AnyRecord =>
  record.withKey(session).withTimestamp(session.endMs)

const resultWithoutHeaders: typeof resultOf = (record, session) =>
  resultOf(record, session).withHeaders(noHeaders)
