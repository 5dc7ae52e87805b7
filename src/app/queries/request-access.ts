import type { Clock } from '../../base/clock.ts'
import { sleep } from '../../base/clock.ts'
import { Fault, isFault } from '../../base/fault.ts'
import type { CurrentSecret } from '../secret.ts'
import type { ProvenRequest } from './member-signature.ts'
import { isBodyOf, isSame, proveRequest, signatureHeader } from './member-signature.ts'

/** A request over HTTP, as `authorization` sees it. */
export interface QueryRequest {
  readonly method: string
  /** The path with what follows the question mark, as it came. */
  readonly url: string
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly remoteAddress: string | undefined
}

/** True where a request may be answered. */
export type Authorization = (request: QueryRequest) => boolean | Promise<boolean>

export interface AccessOptions {
  readonly clock: Clock
  /** Requests must carry one of them as a bearer token. */
  readonly token?: CurrentSecret | undefined
  readonly authorization?: Authorization | undefined
  /** Requests of other processes of the application must be signed with one of them. */
  readonly memberSecret?: CurrentSecret | undefined
  /** `host:port` that the others know this process by. */
  readonly endpoint: () => string | undefined
  readonly onWarning?: ((message: string) => void) | undefined
}

/** Decides who is answered, once a request is known to come from nowhere foreign. */
export class RequestAccess {
  readonly #options: AccessOptions

  constructor(options: AccessOptions) {
    this.#options = options
  }

  /** Fails where a caller may not have this. */
  async check(request: QueryRequest): Promise<void> {
    const { token, authorization } = this.#options
    if (token !== undefined) checkToken(token.lines, request)
    if (authorization !== undefined && !(await this.#ask(authorization, request))) throw forbidden()
  }

  /**
   * Fails where the caller is no process of the application: without a secret of theirs, it is as any other caller.
   * Resolves with what its body and the answer are to be checked by, and is undefined where there is no secret.
   */
  async checkMember(request: QueryRequest): Promise<ProvenRequest | undefined> {
    if (request.headers['origin'] !== undefined || request.headers['sec-fetch-site'] !== undefined)
      throw unknownMember()
    const { memberSecret, endpoint } = this.#options
    if (memberSecret === undefined) {
      await this.check(request)
      return undefined
    }
    const proven = proveRequest(memberSecret.lines, endpoint() ?? '', request.headers[signatureHeader])
    if (proven === undefined) throw unknownMember()
    return proven
  }

  /** What the author's function decides. It fails closed: by an error, by another value than true, and by taking too long. */
  async #ask(authorization: Authorization, request: QueryRequest): Promise<boolean> {
    const { clock, onWarning } = this.#options
    const done = new AbortController()
    const late = sleep(clock, authorizationTimeoutMs, done.signal).then(() => 'late' as const)
    try {
      const answer = await Promise.race([authorization(request), late])
      if (answer === 'late') throw lateAuthorization()
      return (answer as unknown) === true
    } catch (error) {
      if (isFault(error)) throw error
      onWarning?.('the option authorization has failed, so the request is refused')
      return false
    } finally {
      done.abort()
    }
  }
}

/** False where the body is not the one that was signed. */
export const isProvenBody = (proven: ProvenRequest | undefined, body: Uint8Array): boolean =>
  proven === undefined || isBodyOf(proven, body)

const authorizationTimeoutMs = 10_000

const checkToken = (tokens: readonly string[], { headers }: QueryRequest): void => {
  const [, given] = /^Bearer +(\S+)$/i.exec(String(headers['authorization'])) ?? []
  // Compares all of them, so that the duration does not depend on which one is right.
  const right = tokens.filter((token) => isSame(token, given ?? ''))
  if (given === undefined || right.length === 0) throw unauthorized()
}

const unauthorized = (): Fault =>
  new Fault({
    code: 'UNAUTHORIZED',
    actor: 'author',
    message: 'the request has no token, or another one than this application takes',
    remedy: 'send the token of the setting queryToken in the header Authorization, as Bearer TOKEN',
  })

const forbidden = (): Fault =>
  new Fault({
    code: 'FORBIDDEN',
    actor: 'author',
    message: 'the application does not permit this request',
    remedy: 'its option authorization decides',
  })

export const unknownMember = (): Fault =>
  new Fault({
    code: 'MEMBER_UNKNOWN',
    actor: 'author',
    message: 'only processes of this application may ask for this',
    remedy: 'give all of them the same queryMemberSecret, and each its own applicationServer',
  })

const lateAuthorization = (): Fault =>
  new Fault({
    code: 'AUTHORIZATION_LATE',
    actor: 'retry',
    message: 'the option authorization has not decided in time',
    remedy: 'ask again in a moment',
  })
