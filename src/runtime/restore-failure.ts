import type { FaultPlace } from '../base/fault.ts'
import { Fault, isFault, messageOf } from '../base/fault.ts'
import { codeOf } from '../base/quoting-errors.ts'
import { isA, isError } from '../base/thrown.ts'
import { fileRemedy } from '../files/file-remedy.ts'
import { RowNotRestored, schemaRemedy } from '../state/unreadable-row.ts'

/**
 * The fault of a store that can't take up a record of its changelog. What helps depends on the cause: a fault of the disk
 * or of a foreign record has a remedy of its own, and only bytes that don't fit the store's serdes concern its schema.
 */
export const restoreFailed = (store: string, place: FaultPlace, error: unknown): Fault => {
  const isRow = isA(error, RowNotRestored)
  const cause = isRow ? error.cause : error
  return new Fault({
    code: 'RESTORE_FAILED',
    actor: 'runtime',
    message: `store '${store}' can't be restored from its changelog: ${isFault(cause) ? cause.summary : messageOf(cause)}`,
    remedy: remedyOf(cause),
    place: isRow ? { ...place, offset: error.offset } : place,
    contents: isRow ? { key: error.key } : {},
    cause,
  })
}

const remedyOf = (cause: unknown): string | undefined => {
  if (isFault(cause) && cause.actor !== 'record') return cause.remedy
  return isSystemError(cause) ? fileRemedy(cause, 'stateDirectory') : schemaRemedy
}

/** The operating system's errors have codes such as ENOSPC; decoders throw Node's own, such as ERR_INVALID_ARG_VALUE. */
const isSystemError = (cause: unknown): boolean => isError(cause) && /^E[A-Z0-9]+$/.test(codeOf(cause))
