import type { Header, Headers } from '../topic/headers.ts'
import { headerText, withHeader } from '../topic/headers.ts'
import type { Outgoing } from './process-message.ts'

/**
 * The headers of what a saga sends: CloudEvents in Kafka's binary mode, as far as they help to follow a flow, and the
 * idempotency key. Other headers of the message that caused it (a trace, say) go on with it.
 */
const idempotencyHeader = 'idempotency-key'

export const commandHeaders = (saga: string, sagaId: string, outgoing: Outgoing, cause: Headers): Headers => {
  const causationId = headerText(cause, 'ce_id')
  const passedOn = cause.filter(isPassedOn)
  const own: readonly (readonly [string, string | undefined])[] = [
    ['ce_specversion', '1.0'],
    ['ce_id', outgoing.idempotencyKey],
    ['ce_source', `/sagas/${saga}`],
    ['ce_type', outgoing.topic],
    ['ce_subject', sagaId],
    ['ce_correlationid', sagaId],
    ['ce_causationid', causationId],
    [idempotencyHeader, outgoing.idempotencyKey],
  ]
  return own.reduce<Headers>(
    (headers, [name, text]) => (text === undefined ? headers : withHeader(headers, name, text)),
    passedOn,
  )
}

const isPassedOn = ([name]: Header): boolean =>
  !name.startsWith('ce_') && !name.startsWith('__') && name !== idempotencyHeader
