import type { Bytes } from '../base/bytes.ts'
import { sleep } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Api, RequestContext } from './api/api.ts'
import { APIS } from './api/all.ts'
import { advertisedVersions } from './api/api-versions.ts'
import { errorResponse } from './api/error-response.ts'
import { RequestFailed } from './api/request-failed.ts'
import type { Broker } from './broker.ts'
import { Errors, Refusal, type ErrorName } from './protocol/errors.ts'
import { decodeRequest, encodeResponse, readRequestHeader, type RequestHeader } from './protocol/frame.ts'
import { malformed, Reader } from './protocol/reader.ts'

/** A connection of one client to the broker, which `core.connect` opens. */
export interface Connection {
  /**
   * Handles one request, without length prefixes. Requests of one connection are handled one after the other, as Kafka
   * does. Rejects where a real broker would close the connection.
   */
  request(frame: Bytes): Promise<readonly Bytes[] | undefined>
  /** Ends what still waits on behalf of this client. */
  close(): void
}

/** A request as a fault hook sees it. */
export interface RequestSeen {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  readonly clientId: string
  /** The decoded fields. */
  readonly request: Readonly<Record<string, unknown>>
}

/**
 * What a fault hook may do to a request.
 *
 * - `error`: nothing is done, and every error field of the response says so.
 * - `drop`: nothing is done, and the connection closes.
 * - `loseResponse`: it is done, and the connection closes before the answer.
 * - `delay`: it is done after a while.
 */
export type InjectedFault =
  | { readonly kind: 'error'; readonly error: ErrorName }
  | { readonly kind: 'drop' }
  | { readonly kind: 'loseResponse' }
  | { readonly kind: 'delay'; readonly delayMs: number }

/** Decides about each request of one API; `undefined` lets it through. */
export type FaultHook = (seen: RequestSeen) => InjectedFault | undefined

/**
 * The broker without sockets: request bytes in, response bytes out. The socket shell (server.ts) feeds it from TCP; a
 * simulated world calls it in process, on a clock of its own.
 *
 * @example
 * const connection = core.connect()
 * const chunks = await connection.request(frame) // undefined: no answer is due
 * connection.close()
 */
export class BrokerCore {
  /** @internal */
  readonly broker: Broker
  readonly #hooks = new Map<string, Set<FaultHook>>()

  /** @internal */
  constructor(broker: Broker) {
    this.broker = broker
  }

  connect(clientHost = '/127.0.0.1'): Connection {
    return new CoreConnection(this, clientHost)
  }

  /**
   * Lets `hook` decide about every request of an API, by Kafka's name for it. The returned function takes it back.
   *
   * @example
   * const stop = core.onRequest('Produce', () => ({ kind: 'error', error: 'NOT_ENOUGH_REPLICAS' }))
   */
  onRequest(apiName: string, hook: FaultHook): () => void {
    let hooks = this.#hooks.get(apiName)
    if (hooks === undefined) this.#hooks.set(apiName, (hooks = new Set()))
    hooks.add(hook)
    return () => hooks.delete(hook)
  }

  /** @internal */
  injectedFault(seen: RequestSeen): InjectedFault | undefined {
    for (const hook of this.#hooks.get(seen.apiName) ?? []) {
      const fault = hook(seen)
      if (fault !== undefined) return fault
    }
    return undefined
  }

  close(): void {
    this.broker.close()
  }
}

class CoreConnection implements Connection {
  readonly #core: BrokerCore
  readonly #clientHost: string
  readonly #closeListeners = new Set<() => void>()
  #previous: Promise<unknown> = Promise.resolve()
  #isClosed = false

  /** @internal */
  constructor(core: BrokerCore, clientHost: string) {
    this.#core = core
    this.#clientHost = clientHost
  }

  request(frame: Bytes): Promise<readonly Bytes[] | undefined> {
    const answer = this.#previous.then(() => this.#handle(frame))
    this.#previous = answer.catch(() => undefined)
    return answer
  }

  close(): void {
    this.#isClosed = true
    for (const listener of this.#closeListeners) listener()
    this.#closeListeners.clear()
  }

  async #handle(frame: Bytes): Promise<readonly Bytes[] | undefined> {
    if (this.#isClosed) throw connectionClosed('the connection is closed')
    const reader = new Reader(frame)
    const header = readRequestHeader(reader, (apiKey) => APIS.get(apiKey)?.schema)
    const served = APIS.get(header.apiKey)
    if (served === undefined || !isServed(served, header.apiVersion)) return refuseVersion(header)
    const request = decodeRequest(served.schema, header.apiVersion, reader)
    const response = await this.#answer(served, header, request)
    if (response === undefined) return undefined
    try {
      return encodeResponse(served.schema, header.apiVersion, header.correlationId, response)
    } catch (error) {
      this.#core.broker.report(error)
      throw error
    }
  }

  async #answer(served: Api, header: RequestHeader, request: unknown): Promise<unknown> {
    const clientId = header.clientId ?? ''
    const fault = this.#core.injectedFault({
      apiKey: header.apiKey,
      apiName: served.schema.name,
      apiVersion: header.apiVersion,
      clientId,
      request: request as Readonly<Record<string, unknown>>,
    })
    if (fault?.kind === 'drop') throw connectionClosed('a fault hook dropped the request')
    if (fault?.kind === 'error') return errorResponse(served.schema, request, Errors[fault.error])
    if (fault?.kind === 'delay') await sleep(this.#core.broker.clock, fault.delayMs)
    const response = await this.#serve(served, request, {
      ...this.#context(),
      apiVersion: header.apiVersion,
      clientId,
    })
    if (fault?.kind === 'loseResponse') throw connectionClosed('a fault hook lost the response')
    return response
  }

  /** A mistake of ours is an error in the answer, as with Kafka, and not the end of the broker. */
  async #serve(served: Api, request: unknown, context: RequestContext): Promise<unknown> {
    try {
      return await served.handle(this.#core.broker, request, context)
    } catch (error) {
      if (error instanceof RequestFailed) throw connectionClosed(error.message)
      if (error instanceof Refusal) return errorResponse(served.schema, request, error.errorCode)
      this.#core.broker.report(error)
      return errorResponse(served.schema, request, Errors.UNKNOWN_SERVER_ERROR)
    }
  }

  #context(): Pick<RequestContext, 'clientHost' | 'onClose'> {
    return {
      clientHost: this.#clientHost,
      onClose: (listener) => {
        this.#closeListeners.add(listener)
        return () => this.#closeListeners.delete(listener)
      },
    }
  }
}

const connectionClosed = (message: string): Fault =>
  new Fault({ code: 'CONNECTION_CLOSED', actor: 'retry', message })

const isServed = ({ schema }: Api, version: number): boolean =>
  version >= schema.versions[0] && version <= schema.versions[1]

/** Only ApiVersions can be refused in a way that the client understands: with a body of version 0. */
const refuseVersion = ({ apiKey, apiVersion, correlationId }: RequestHeader): readonly Bytes[] => {
  const served = APIS.get(apiKey)
  if (served?.schema.name !== 'ApiVersions')
    throw malformed(`API key ${apiKey} version ${apiVersion} is not served`)
  const response = { errorCode: Errors.UNSUPPORTED_VERSION, apiKeys: advertisedVersions(APIS.values()) }
  return encodeResponse(served.schema, 0, correlationId, response)
}
