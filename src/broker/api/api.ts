import type { Broker } from '../broker.ts'
import { Errors, Refusal, type ErrorCode } from '../protocol/errors.ts'
import type { ApiSchema, Request, Response } from '../protocol/schema.ts'

/** What a handler knows of a request besides its fields. */
export interface RequestContext {
  readonly apiVersion: number
  readonly clientId: string
  readonly clientHost: string
  /** Calls `listener` if the connection closes first; the returned function takes it back. */
  onClose(listener: () => void): () => void
}

/** One API of the protocol: its bytes and what the broker does. `undefined` is "no answer" (Produce with acks=0). */
export interface Api {
  readonly schema: ApiSchema
  handle(broker: Broker, request: unknown, context: RequestContext): unknown
}

type Answer<S extends ApiSchema> = Response<S> | undefined

/** Ties a handler to its schema, which gives it its types. */
export const api = <const S extends ApiSchema>(
  schema: S,
  handle: (broker: Broker, request: Request<S>, context: RequestContext) => Answer<S> | Promise<Answer<S>>,
): Api => ({
  schema,
  handle: (broker, request, context) => handle(broker, request as Request<S>, context),
})

export interface Outcome {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

const SUCCESS: Outcome = { errorCode: Errors.NONE, errorMessage: null }

/** Runs `action`; a refusal becomes the error code and message of a response. */
export const attempt = (action: () => void): Outcome => {
  try {
    action()
    return SUCCESS
  } catch (error) {
    if (error instanceof Refusal) return { errorCode: error.errorCode, errorMessage: error.message }
    throw error
  }
}
