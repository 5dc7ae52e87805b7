import { AuthenticationError, saslOAuthBearer, saslPlain, saslScramSha } from '@platformatic/kafka'
import type { Connection } from '@platformatic/kafka'
import type { Api } from '../apis.ts'
import { saslAuthenticateApi, saslHandshakeApi } from '../apis.ts'
import type { SaslSettings } from '../kafka-settings.ts'
import { errorName } from '../protocol-errors.ts'

/** Sends one request over the connection that is to be authenticated. */
export type Call = <Arguments extends readonly unknown[], Response>(
  api: Api<Arguments, Response>,
  ...args: Arguments
) => Promise<Response>

/**
 * The SASL dialogue over one connection, by @platformatic/kafka's mechanisms. Resolves with the milliseconds after which
 * the broker wants to see it again (KIP-368), 0 for never; rejects with the library's `AuthenticationError` where the
 * broker refuses, and with what `call` rejects with.
 */
export const authenticate = async (sasl: SaslSettings, call: Call): Promise<number> => {
  const { errorCode, mechanisms } = await call(saslHandshakeApi, sasl.mechanism)
  if (errorCode !== 0)
    throw new AuthenticationError(
      `The broker answers the mechanism ${sasl.mechanism} with ${errorName(errorCode)}; it has ${String(mechanisms)}`,
    )
  const { sessionLifetimeMs } = await dialogue(sasl, call)
  return Number(sessionLifetimeMs)
}

type Answer = ReturnType<typeof saslAuthenticateApi.decode>
type Exchange = Parameters<typeof saslPlain.authenticate>[0]

/** A mechanism may throw where it is called back, which must end the dialogue and not the process. */
const dialogue = (sasl: SaslSettings, call: Call): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const exchange = (_connection: Connection, bytes: Buffer, callback: Callback): void => {
      exchangeOnce(call, bytes, callback).catch(reject)
    }
    speak(sasl, exchange as unknown as Exchange).then(resolve, reject)
  })

type Callback = (error: Error | null, answer?: Answer) => void

const exchangeOnce = async (call: Call, bytes: Buffer, callback: Callback): Promise<void> => {
  const [error, answer] = await call(saslAuthenticateApi, bytes).then(
    checked,
    (cause: Error) => [cause] as const,
  )
  callback(error, answer)
}

const checked = (answer: Answer): readonly [Error | null, Answer?] =>
  answer.errorCode === 0
    ? [null, answer]
    : [new AuthenticationError(`SASL authentication failed: ${answer.errorMessage ?? 'no reason is given'}`)]

/** The mechanisms hand their connection to the exchange and do nothing else with it. */
const noConnection = undefined as unknown as Connection

const speak = (
  { mechanism, username, password, token }: SaslSettings,
  exchange: Exchange,
): Promise<Answer> => {
  switch (mechanism) {
    case 'PLAIN':
      return saslPlain.authenticate(exchange, noConnection, username ?? '', password ?? '')
    case 'OAUTHBEARER':
      return saslOAuthBearer.authenticate(exchange, noConnection, token ?? '', {})
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512': {
      const algorithm = mechanism === 'SCRAM-SHA-256' ? 'SHA-256' : 'SHA-512'
      return saslScramSha.authenticate(
        exchange,
        noConnection,
        algorithm,
        username ?? '',
        password ?? '',
        boundedCrypto,
      )
    }
  }
}

/**
 * The broker says how often the password is hashed, on a thread that files and name look-ups need too. Kafka allows 16,384
 * iterations; a million take about a second.
 */
const maxIterations = 1_000_000

const boundedCrypto: typeof saslScramSha.defaultCrypto = {
  ...saslScramSha.defaultCrypto,
  hi: (definition, password, salt, iterations) =>
    iterations <= maxIterations
      ? saslScramSha.hi(definition, password, salt, iterations)
      : Promise.reject(
          new Error(`the broker asks for ${iterations} iterations of SCRAM, of at most ${maxIterations}`),
        ),
}
