import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fastify } from 'fastify'
import type * as z from 'zod'
import type { Clock } from '../../base/clock.ts'
import { Fault, isFault, messageOf } from '../../base/fault.ts'
import type { Endpoint } from './endpoint.ts'
import { endpointText } from './endpoint.ts'
import { badQuery } from './key-text.ts'
import type { PageReader } from './page-reader.ts'
import { problemOf } from './problem.ts'
import type { Route } from './route.ts'

/**
 * The HTTP server of interactive queries. It knows no store: it registers a table of routes, parses what comes by their
 * schemas, and answers what they answer. Loaded only where a server is asked for.
 */
export const queryServer = (routes: readonly Route[], pages: () => PageReader): FastifyInstance => {
  const server = fastify({
    bodyLimit: largestBodyBytes,
    routerOptions: { maxParamLength: 300 },
    connectionTimeout: idleConnectionMs,
    keepAliveTimeout: idleConnectionMs,
    requestTimeout: requestTimeoutMs,
    http: { headersTimeout: requestTimeoutMs, connectionsCheckingInterval: 1_000 },
  })
  for (const each of routes)
    server.route({
      method: each.method,
      url: each.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      handler: async (request, reply) => {
        const { status, body } = await each.handle(parsed(each, request), pages())
        return reply.code(status).send(body)
      },
    })
  server.setErrorHandler((error, _request, reply) => refuse(reply, asFault(error)))
  server.setNotFoundHandler(({ method, url }, reply) => refuse(reply, noRoute(method, url)))
  return server
}

/** Opens the server's port; resolves with the port it got. */
export const listen = async (server: FastifyInstance, at: Endpoint): Promise<number> => {
  try {
    await server.listen({ host: at.host, port: at.port })
  } catch (cause) {
    throw cannotListen(at, cause)
  }
  const [address] = server.addresses()
  return typeof address === 'object' ? address.port : at.port
}

/** Closes the port. Answers under way get a moment. Then all connections are closed, whether their requests are complete or not. */
export const closeServer = async (server: FastifyInstance, clock: Clock): Promise<void> => {
  const cancel = clock.setTimer(() => server.server.closeAllConnections(), closeGraceMs)
  const closed = server.close()
  server.server.closeIdleConnections()
  await closed
  cancel()
}

const closeGraceMs = 500
/** How long a client may take for its request, and for each part of it. */
const requestTimeoutMs = 10_000
const idleConnectionMs = 30_000

/** A key in the body may be a megabyte, and as base64 a third more. */
const largestBodyBytes = 8 * 1024 * 1024

const parsed = (
  { parameters, body }: Route,
  request: FastifyRequest,
): { readonly parameters: unknown; readonly body: unknown } => ({
  parameters: parse(parameters, { ...(request.query as object), ...(request.params as object) }),
  body: body === undefined ? undefined : parse(body, request.body),
})

const parse = (schema: z.ZodType, input: unknown): unknown => {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const issues = result.error.issues.map(({ path, message }) => `${path.join('.') || 'request'}: ${message}`)
  throw badQuery(`the request is wrong: ${issues.join('; ')}`)
}

const refuse = (reply: FastifyReply, error: unknown): FastifyReply => {
  const { status, problem } = problemOf(error)
  if (problem.retryable) void reply.header('retry-after', '1')
  return reply.code(status).send(problem)
}

/** What the server itself refuses (a body that is no JSON, or too long) is a fault of the request. */
const asFault = (error: unknown): unknown => {
  if (isFault(error)) return error
  const { statusCode } = error as { readonly statusCode?: number }
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500
    ? badQuery(`the request is wrong: ${messageOf(error)}`)
    : error
}

const noRoute = (method: string, url: string): Fault =>
  new Fault({
    code: 'ROUTE_UNKNOWN',
    actor: 'author',
    message: `there is no ${method} ${url}`,
    remedy: 'see /openapi.json',
  })

const cannotListen = (at: Endpoint, cause: unknown): Fault =>
  new Fault({
    code: 'QUERY_LISTEN_FAILED',
    actor: 'author',
    message: `queries can't be served on ${endpointText(at)}: ${messageOf(cause)}`,
    remedy: 'set applicationServer or queryListen to an address of this machine with a free port',
    cause,
  })
