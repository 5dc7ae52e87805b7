import * as z from 'zod'
import { Fault, isFault, messageOf } from '../../base/fault.ts'

/** What is answered where something is not as asked: a fault as JSON. */
export const problemSchema = z.object({
  code: z.string().describe('Stable and machine-readable.'),
  message: z.string(),
  remedy: z.string().optional().describe('The way out.'),
  retryable: z.boolean().describe('True where the same request may succeed in a moment.'),
})

export type Problem = z.output<typeof problemSchema>

/** A fault as a response; the message of any other error stays private. */
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

/**
 * The fault that another process of the application answered with; what may pass is passing here too. Undefined where it
 * is none that such a process answers.
 */
export const faultOfProblem = (
  answer: unknown,
  { store, partition }: { readonly store: string; readonly partition: number },
): Fault | undefined => {
  const parsed = problemSchema.safeParse(answer)
  if (!parsed.success) return undefined
  const { code, message, retryable } = parsed.data
  if (!retryable && ![400, 404, 421].includes(statuses[code] ?? 500)) return undefined
  const place = { store, partition }
  return new Fault({ code, actor: retryable ? 'retry' : 'runtime', message: message.slice(0, 1_000), place })
}

/** A fault's message ends with its remedy, which stands by itself here. */
const withoutRemedy = (fault: Fault): string =>
  fault.remedy === undefined ? messageOf(fault) : messageOf(fault).replace(`; ${fault.remedy}`, '')

const statuses: Readonly<Record<string, number>> = {
  QUERY_INVALID: 400,
  STORE_KIND: 400,
  SERDE_VALUE_INVALID: 400,
  UNAUTHORIZED: 401,
  MEMBER_UNKNOWN: 401,
  FORBIDDEN: 403,
  ORIGIN_NOT_ALLOWED: 403,
  STORE_UNKNOWN: 404,
  KEY_UNKNOWN: 404,
  ROUTE_UNKNOWN: 404,
  METHOD_NOT_ALLOWED: 405,
  STORE_NOT_HERE: 421,
  HOST_NOT_ALLOWED: 421,
  OWNER_NOT_ALLOWED: 502,
  OWNER_UNPROVEN: 502,
  OWNER_ANSWER_INVALID: 502,
  STORE_NOT_READY: 503,
  QUERIES_OVERLOADED: 503,
  OWNER_UNREACHABLE: 503,
  APPLICATION_CLOSED: 503,
}
