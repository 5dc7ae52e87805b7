import type { Clock } from '../../base/clock.ts'
import { Fault } from '../../base/fault.ts'
import type { StorePage } from '../../state/store-query.ts'
import { problemSchema } from './problem.ts'
import type { WireRequest } from './wire.ts'
import { decodePage, encodeRequest } from './wire.ts'

/**
 * Where one process asks another of the same application. Whoever is asked there answers from what it has itself or not
 * at all, so a request is handed on once at most and never in a circle.
 */
export const localPagesPath = '/internal/pages'

export interface Forwarding {
  readonly endpoint: string
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Asks another process for a page of a store that it has. */
export const forward = async (
  request: WireRequest,
  { endpoint, clock, timeoutMs, signal }: Forwarding,
): Promise<StorePage> => {
  const late = new AbortController()
  const cancel = clock.setTimer(() => late.abort(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs)
  try {
    const response = await fetch(`http://${endpoint}${localPagesPath}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(encodeRequest(request)),
      signal: AbortSignal.any([late.signal, signal]),
    })
    const answer: unknown = await response.json()
    if (response.ok) return decodePage(answer)
    throw faultOf(problemSchema.parse(answer), request)
  } catch (error) {
    throw error instanceof Fault ? error : unreachable(endpoint, request, error)
  } finally {
    cancel()
  }
}

/** What the other process refused; whatever may pass is passing here too. */
const faultOf = (
  { code, message, retryable }: { code: string; message: string; retryable: boolean },
  { store, partition }: WireRequest,
): Fault => new Fault({ code, actor: retryable ? 'retry' : 'runtime', message, place: { store, partition } })

const unreachable = (endpoint: string, { store, partition }: WireRequest, cause: unknown): Fault =>
  new Fault({
    code: 'OWNER_UNREACHABLE',
    actor: 'retry',
    message: `${endpoint}, which has that partition of the store, does not answer`,
    remedy: 'ask again; the group gives its tasks to others once it is taken for gone',
    place: { store, partition },
    cause,
  })
