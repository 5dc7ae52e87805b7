import { Agent as PlainAgent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import type { RequestOptions } from 'node:https'
import type { Clock } from '../../base/clock.ts'
import { Fault, isFault } from '../../base/fault.ts'
import { quoted, withoutCredentials } from '../../base/printable.ts'
import type { StorePage } from '../../state/store-query.ts'
import type { CurrentSecret } from '../secret.ts'
import { isEndpoint, parseEndpoint } from './endpoint.ts'
import type { HttpAnswer } from './http-request.ts'
import { askOverHttp } from './http-request.ts'
import type { MemberAddressSettings } from './member-addresses.ts'
import { guardedLookup, mayAsk } from './member-addresses.ts'
import type { SignedRequest } from './member-signature.ts'
import { isSame, signAnswer, signatureHeader, signRequest } from './member-signature.ts'
import { faultOfProblem } from './problem.ts'
import type { WireRequest } from './wire.ts'
import { decodePage, encodeRequest } from './wire.ts'

/**
 * The path under which one process sends requests to another of the same application. The other answers from its own
 * stores or not at all, so a request is forwarded once at most, and never in a circle.
 */
export const localPagesPath = '/internal/pages'

export interface MemberClientOptions {
  readonly clock: Clock
  readonly addresses: MemberAddressSettings
  /** Signs requests, and proves that answers come from a process that has it too. */
  readonly secret?: CurrentSecret | undefined
  readonly tls?: (() => RequestOptions) | undefined
  /** The largest record that a store may hold. */
  readonly maxRowBytes: number
}

export interface Forwarding {
  /** As the group names it: any text. */
  readonly endpoint: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Asks other processes of the application for pages of stores that they have. */
export class MemberClient {
  readonly #options: MemberClientOptions
  readonly #agent: PlainAgent

  constructor(options: MemberClientOptions) {
    this.#options = options
    const Agent = options.tls === undefined ? PlainAgent : TlsAgent
    this.#agent = new Agent({ keepAlive: true, maxFreeSockets: 4 })
  }

  async ask(request: WireRequest, { endpoint, timeoutMs, signal }: Forwarding): Promise<StorePage> {
    const { clock, addresses, secret } = this.#options
    if (!isEndpoint(endpoint) || !mayAsk(parseEndpoint(endpoint).host, addresses))
      throw forbiddenEndpoint(endpoint, request)
    const late = new AbortController()
    const cancel = clock.setTimer(() => late.abort(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs)
    try {
      const body = JSON.stringify(encodeRequest(request))
      const [current] = secret?.lines ?? []
      const signed = current === undefined ? undefined : signRequest(current, endpoint, body)
      const answer = await this.#post(endpoint, body, signed, AbortSignal.any([late.signal, signal]))
      if (signed !== undefined && !isProven(answer, current as string, signed))
        throw unproven(endpoint, request)
      return pageIn(answer, endpoint, request)
    } catch (error) {
      throw isFault(error) ? error : unreachable(endpoint, request, error)
    } finally {
      cancel()
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #post(
    endpoint: string,
    body: string,
    signed: SignedRequest | undefined,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    return askOverHttp({
      ...parseEndpoint(endpoint),
      method: 'POST',
      path: localPagesPath,
      headers: {
        'content-type': 'application/json',
        ...(signed === undefined ? {} : { [signatureHeader]: signed.header }),
      },
      body,
      tls: this.#options.tls?.(),
      agent: this.#agent,
      lookup: guardedLookup(this.#options.addresses),
      signal,
      // A page ends behind the row that reaches a megabyte, and base64 adds a third.
      maxAnswerBytes: 2 * (1024 * 1024 + this.#options.maxRowBytes),
    })
  }
}

const isProven = ({ status, headers, body }: HttpAnswer, secret: string, { nonce }: SignedRequest): boolean =>
  isSame(String(headers[signatureHeader]), signAnswer({ secret, nonce }, status, body))

/** What a process answers is checked before it is passed on, as any member of the group can name itself. */
const pageIn = ({ status, body }: HttpAnswer, endpoint: string, request: WireRequest): StorePage => {
  const answer = parsed(body, endpoint, request)
  if (status !== 200) {
    const fault = faultOfProblem(answer, request)
    throw fault ?? wrongAnswer(endpoint, request, `status ${status}`)
  }
  const page = pageOf(answer, endpoint, request)
  if (page.rows.length > request.limit) throw wrongAnswer(endpoint, request, 'more rows than were asked for')
  if (page.after !== undefined && page.rows.length === 0)
    throw wrongAnswer(endpoint, request, 'an empty page with another one behind it')
  return page
}

const parsed = (body: Buffer, endpoint: string, request: WireRequest): unknown => {
  try {
    return JSON.parse(body.toString())
  } catch {
    throw wrongAnswer(endpoint, request, 'no JSON')
  }
}

const pageOf = (answer: unknown, endpoint: string, request: WireRequest): StorePage => {
  try {
    return decodePage(answer)
  } catch {
    throw wrongAnswer(endpoint, request, 'no page of a store')
  }
}

const forbiddenEndpoint = (endpoint: string, { store, partition }: WireRequest): Fault =>
  new Fault({
    code: 'OWNER_NOT_ALLOWED',
    actor: 'runtime',
    message: `the process that has that partition of the store names ${quoted(withoutCredentials(endpoint), 200)}, which this one does not ask`,
    remedy:
      'set its applicationServer to host:port of its own machine, and name the host in queryMemberHosts where it is a special one',
    place: { store, partition },
  })

const unproven = (endpoint: string, { store, partition }: WireRequest): Fault =>
  new Fault({
    code: 'OWNER_UNPROVEN',
    actor: 'runtime',
    message: `what answers at ${endpoint} does not prove that it is a process of this application`,
    remedy: 'give all processes the same queryMemberSecret, and each its own applicationServer',
    place: { store, partition },
  })

const wrongAnswer = (endpoint: string, { store, partition }: WireRequest, what: string): Fault =>
  new Fault({
    code: 'OWNER_ANSWER_INVALID',
    actor: 'runtime',
    message: `${endpoint}, which has that partition of the store, answered wrongly: ${what}`,
    remedy: 'run the same version of the application there',
    place: { store, partition },
  })

const unreachable = (endpoint: string, { store, partition }: WireRequest, cause: unknown): Fault =>
  new Fault({
    code: 'OWNER_UNREACHABLE',
    actor: 'retry',
    message: `${endpoint}, which has that partition of the store, does not answer`,
    remedy: 'ask again; the group gives its tasks to others once it is taken for gone',
    place: { store, partition },
    cause,
  })
