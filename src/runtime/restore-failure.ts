import type { FaultPlace } from '../base/fault.ts'
import { Fault, isFault, messageOf } from '../base/fault.ts'
import { schemaRemedy } from '../state/unreadable-row.ts'

/**
 * The fault of a store that can't take up a record of its changelog. What helps depends on the cause: a fault of the disk
 * or of a foreign record has a remedy of its own, and only bytes that don't fit the store's serdes are a matter of its schema.
 */
export const restoreFailed = (store: string, place: FaultPlace, cause: unknown): Fault =>
  new Fault({
    code: 'RESTORE_FAILED',
    actor: 'runtime',
    message: `store '${store}' can't be restored from its changelog: ${isFault(cause) ? cause.summary : messageOf(cause)}`,
    remedy: remedyOf(cause),
    place,
    cause,
  })

const remedyOf = (cause: unknown): string | undefined => {
  if (isFault(cause) && cause.actor !== 'record') return cause.remedy
  if (cause instanceof Error && 'code' in cause && !isFault(cause)) return diskRemedy
  return schemaRemedy
}

const diskRemedy = 'check the space and the permissions of stateDirectory'
