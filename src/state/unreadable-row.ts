import type { Bytes } from '../base/bytes.ts'
import { Fault, isFault, messageOf } from '../base/fault.ts'
import { textOfKey } from '../topic/key-text.ts'
import type { RecordColumns } from '../topic/record-columns.ts'

/**
 * The fault of a row that its store's serdes do not read. The record at hand is innocent: an earlier version of the
 * application wrote the row under another schema. So the task stops, and no policy leaves the record out.
 */
export const unreadableRow = (store: string, key: Bytes, cause: unknown): Fault =>
  new Fault({
    code: 'STORE_ROW_UNREADABLE',
    actor: 'runtime',
    message: `store '${store}' cannot read a row, which an earlier version of the application wrote: ${isFault(cause) ? cause.summary : messageOf(cause)}`,
    remedy: schemaRemedy,
    place: { store },
    contents: { key: textOfKey(key, 0, key.length) },
    cause,
  })

/** A record of a changelog that its store cannot take up; `cause` is why. */
export class RowNotRestored extends Error {
  readonly offset: number
  readonly key: string

  constructor({ buffer, offsets, keyStarts, keyEnds }: RecordColumns, row: number, cause: unknown) {
    super(messageOf(cause), { cause })
    this.offset = offsets[row] as number
    this.key = textOfKey(buffer, keyStarts[row] as number, keyEnds[row] as number)
  }
}

/** What helps where rows do not fit the schema of their store any more. */
export const schemaRemedy =
  'if the schema of the store has changed, deploy the version that wrote the row, make the new field optional or give it a default, give the store a new name, or start over with: millrace reset FILE --execute; millrace diff reports such a change before it is deployed'
