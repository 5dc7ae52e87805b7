import * as z from 'zod'
import type { Fault } from '../../base/fault.ts'
import { isFault, messageOf } from '../../base/fault.ts'

/** What is answered where something is not as asked: a fault as JSON. */
export const problemSchema = z.object({
  code: z.string().describe('Stable and machine-readable.'),
  message: z.string(),
  remedy: z.string().optional().describe('The way out.'),
  retryable: z.boolean().describe('True where the same request may succeed in a moment.'),
})

export type Problem = z.output<typeof problemSchema>

/** A fault as a response; what is no fault is not told to strangers. */
export const problemOf = (error: unknown): { readonly status: number; readonly problem: Problem } => {
  if (!isFault(error))
    return { status: 500, problem: { code: 'INTERNAL', message: 'the query failed', retryable: false } }
  const { code, remedy } = error
  return {
    status: statuses[code] ?? (error.actor === 'retry' ? 503 : 500),
    problem: {
      code,
      message: withoutRemedy(error),
      ...(remedy === undefined ? {} : { remedy }),
      retryable: error.actor === 'retry',
    },
  }
}

/** A fault's message ends with its remedy, which stands by itself here. */
const withoutRemedy = (fault: Fault): string =>
  fault.remedy === undefined ? messageOf(fault) : messageOf(fault).replace(`; ${fault.remedy}`, '')

const statuses: Readonly<Record<string, number>> = {
  QUERY_INVALID: 400,
  STORE_KIND: 400,
  SERDE_VALUE_INVALID: 400,
  ORIGIN_NOT_ALLOWED: 403,
  STORE_UNKNOWN: 404,
  KEY_UNKNOWN: 404,
  ROUTE_UNKNOWN: 404,
  METHOD_NOT_ALLOWED: 405,
  STORE_NOT_HERE: 421,
  HOST_NOT_ALLOWED: 421,
  STORE_NOT_READY: 503,
  QUERIES_OVERLOADED: 503,
  OWNER_UNREACHABLE: 503,
  APPLICATION_CLOSED: 503,
}
