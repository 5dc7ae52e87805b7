import { Fault, isFault, messageOf } from '../base/fault.ts'
import type { RecordContents } from '../base/record-contents.ts'
import { isA, textOfThrown } from '../base/thrown.ts'
import type { RecordOrigin } from '../topic/record.ts'
import { textOfKey } from '../topic/key-text.ts'
import type { AnyRecord } from '../topology/node.ts'
import type { TaskFailure } from './ports.ts'

/**
 * The fault of a record as its reader needs it: what was thrown, where the record stands (topic, partition, offset), at
 * which node it failed, its key, and the way out.
 */
interface RecordFailure {
  readonly node: string
  readonly stage: TaskFailure['stage']
  readonly origin: RecordOrigin | undefined
  readonly key: string | undefined
  readonly error: unknown
}

export const faultOf = ({ node, stage, origin, key, error }: RecordFailure): Fault => {
  const known = isFault(error) ? error : undefined
  const actor = known?.actor ?? 'record'
  return new Fault({
    code: known?.code ?? 'PROCESSING_FAILED',
    actor,
    message: known === undefined ? messageOf(error) : summaryOf(known, origin),
    remedy: known?.remedy ?? (actor === 'record' ? remedyOf(stage, error) : undefined),
    // Of a row that a store cannot read, the key is that of the row.
    place: { ...known?.place, ...origin, node },
    contents: keyContents(known, key),
    cause: error,
  })
}

const keyContents = (fault: Fault | undefined, key: string | undefined): RecordContents =>
  key === undefined || fault?.code === 'STORE_ROW_UNREADABLE' ? {} : { key }

/** The place is that of the record; the message names the topic that was to be written. */
const summaryOf = (
  { summary, place: { topic, partition } }: Fault,
  origin: RecordOrigin | undefined,
): string => {
  if (topic === undefined || origin === undefined || topic === origin.topic) return summary
  return `${summary}, written to topic ${topic}${partition === undefined ? '' : `, partition ${partition}`}`
}

const remedyOf = (stage: TaskFailure['stage'], error: unknown): string =>
  isA(error, TypeError) && frozenWrite.test(textOfThrown(error)) ? frozenRemedy : remedies[stage]

/** As V8 says that an object is frozen. */
const frozenWrite = /^Cannot (assign to read only|add|delete|define|redefine) property /
const frozenRemedy =
  'make a copy and change that: what the state holds, or several steps get, changes only by what a callback returns or puts (freezeState freezes it outside of production)'

const remedies: Readonly<Record<TaskFailure['stage'], string>> = {
  deserialization: 'fix the producer, or set deserializationFailure to skip or deadLetter',
  processing: 'fix the processor or the record, or set processingFailure to skip or deadLetter',
  production: 'fix what is written, or set productionFailure to skip or deadLetter',
}

/** The key as it was read: text where it is some, bytes in hex otherwise; undefined where there is none. */
export const keyOf = (record: AnyRecord | undefined): string | undefined => {
  const region = record?.keyAsRead
  if (region === undefined) return undefined
  return textOfKey(region.buffer, region.start, region.end)
}
