import { AuthenticationError } from '@platformatic/kafka'
import { Fault } from '../../base/fault.ts'
import { isA, isError, propertyOf } from '../../base/thrown.ts'
import type { BrokerAddress } from '../transport.ts'
import { addressText } from '../transport.ts'

/**
 * Problems with credentials, certificates or the choice of TLS, read from the errors of a connection: one sentence
 * with the broker's address and the way out. No secret is in it, as nothing of the settings is.
 */
export const securityFault = (broker: BrokerAddress, error: unknown): Fault | undefined => {
  const causes = [...causesOf(error)]
  // A connection that was lost in the middle of the dialogue says nothing about credentials.
  const refused = causes.some(isAuthentication) && !causes.some(isConnectionLoss)
  const problem = refused ? credentialsRefused : problemOf(causes)
  if (problem === undefined) return undefined
  const { code, says, remedy } = problem
  const message = `broker ${addressText(broker)} ${says}`
  return new Fault({ code, actor: 'author', message, remedy, cause: error })
}

/** An error, what it was made of, and what these were made of. */
export const causesOf = function* (error: unknown): Generator<Error> {
  for (let each: unknown = error; isError(each); each = propertyOf(each, 'cause')) {
    yield each
    if (isA(each, AggregateError)) for (const inner of each.errors) yield* causesOf(inner)
  }
}

interface Problem {
  readonly code: string
  readonly says: string
  readonly remedy: string
}

const credentialsRefused: Problem = {
  code: 'AUTHENTICATION_FAILED',
  says: 'refused the credentials',
  remedy: 'check the SASL mechanism, the user name and the password',
}

/** What Node calls it, by error code, and what we call it. The first that fits is reported. */
const problems: readonly (readonly [RegExp, Problem])[] = [
  [
    /SELF_SIGNED|UNABLE_TO_VERIFY_LEAF|UNABLE_TO_GET_ISSUER/,
    {
      code: 'CERTIFICATE_UNTRUSTED',
      says: 'shows a certificate of an authority that is not trusted here',
      remedy: "name the authority's certificate in tls.caFile",
    },
  ],
  [
    /^CERT_HAS_EXPIRED$/,
    {
      code: 'CERTIFICATE_EXPIRED',
      says: 'shows a certificate that has expired',
      remedy: 'renew the certificate of the broker, or of the authority that signed it',
    },
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    {
      code: 'CERTIFICATE_WRONG_HOST',
      says: 'shows a certificate for another host',
      remedy: 'connect to a name that the certificate lists, or set tls.serverName to it',
    },
  ],
  [
    /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_\w+|HANDSHAKE_FAILURE)$/,
    {
      code: 'CLIENT_CERTIFICATE_REFUSED',
      says: 'refused the certificate of this client, or misses one',
      remedy: 'set tls.certFile and tls.keyFile to a certificate that the broker trusts',
    },
  ],
  [
    /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/,
    {
      code: 'TLS_REQUIRED',
      says: 'does not speak TLS on this port',
      remedy: 'leave tls out, or name the port of a listener that speaks it',
    },
  ],
]

const problemOf = (causes: readonly Error[]): Problem | undefined => {
  for (const [pattern, problem] of problems)
    if (causes.some((cause) => pattern.test(String(codeOf(cause))))) return problem
  if (causes.some(({ message }) => /requires TLS/i.test(message))) return tlsMissing
  if (causes.some(({ message }) => /before secure TLS connection was established/i.test(message)))
    return tlsUnanswered
  return undefined
}

const tlsMissing: Problem = {
  code: 'TLS_REQUIRED',
  says: 'speaks TLS on this port, and this client does not',
  remedy: 'set tls, or name the port of a listener without it',
}

const tlsUnanswered: Problem = {
  code: 'TLS_REQUIRED',
  says: 'ended the TLS handshake, so it may not speak TLS on this port',
  remedy: 'leave tls out, or name the port of a listener that speaks it',
}

const isAuthentication = (error: Error): boolean => codeOf(error) === AuthenticationError.code

const isConnectionLoss = (error: Error): boolean => error instanceof Fault && error.actor === 'retry'

const codeOf = (error: Error): unknown => (error as { code?: unknown }).code
