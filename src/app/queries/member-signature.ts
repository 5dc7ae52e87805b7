import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/**
 * How processes of one application prove to each other that they share a secret, without sending it. A request is signed
 * for the endpoint it is meant for, so that it cannot be passed on to another one; the answer is signed for the request.
 * Nothing is encrypted: on networks that others can read, TLS does that.
 */
export interface SignedRequest {
  /** The value of the header `millrace-signature`. */
  readonly header: string
  readonly nonce: string
}

export interface ProvenRequest {
  readonly secret: string
  readonly nonce: string
  /** Of the body, which is not here yet. */
  readonly digest: string
}

export const signatureHeader = 'millrace-signature'

export const signRequest = (secret: string, endpoint: string, body: string): SignedRequest => {
  const nonce = randomBytes(16).toString('base64url')
  const digest = digestOf(body)
  return { header: [nonce, digest, requestCode(secret, endpoint, nonce, digest)].join('.'), nonce }
}

/** The secret that a request was signed with; undefined where it was with none of these, or for another endpoint. */
export const proveRequest = (
  secrets: readonly string[],
  endpoint: string,
  header: unknown,
): ProvenRequest | undefined => {
  const [nonce = '', digest = '', code = ''] = typeof header === 'string' ? header.split('.') : []
  const secret = secrets.find((each) => isSame(code, requestCode(each, endpoint, nonce, digest)))
  return secret === undefined ? undefined : { secret, nonce, digest }
}

export const isBodyOf = ({ digest }: ProvenRequest, body: string | Uint8Array): boolean =>
  isSame(digest, digestOf(body))

export const signAnswer = (
  { secret, nonce }: Pick<ProvenRequest, 'secret' | 'nonce'>,
  status: number,
  body: string | Uint8Array,
): string => codeOf(secret, 'answer', nonce, String(status), digestOf(body))

/** True where two texts are the same; the time it takes does not show where they differ. */
export const isSame = (left: string, right: string): boolean =>
  timingSafeEqual(createHash('sha256').update(left).digest(), createHash('sha256').update(right).digest())

const requestCode = (secret: string, endpoint: string, nonce: string, digest: string): string =>
  codeOf(secret, 'request', endpoint, nonce, digest)

/** An authentication code over parts of which none holds a line feed. */
export const codeOf = (secret: string, ...parts: readonly string[]): string =>
  createHmac('sha256', secret)
    .update(['millrace', ...parts].join('\n'))
    .digest('base64url')

const digestOf = (body: string | Uint8Array): string => createHash('sha256').update(body).digest('base64url')
