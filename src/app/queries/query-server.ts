import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fastify } from 'fastify'
import type { ServerOptions as TlsOptions } from 'node:https'
import type * as z from 'zod'
import type { Clock } from '../../base/clock.ts'
import { Fault, isFault, messageOf } from '../../base/fault.ts'
import { refuseUnreadable } from './client-error.ts'
import type { Endpoint } from './endpoint.ts'
import { endpointText } from './endpoint.ts'
import { HttpListener } from './http-listener.ts'
import { badQuery } from './key-text.ts'
import type { ProvenRequest } from './member-signature.ts'
import { signAnswer, signatureHeader } from './member-signature.ts'
import { methodsOf, wrongMethod } from './method-not-allowed.ts'
import type { PageReader } from './page-reader.ts'
import { problemOf } from './problem.ts'
import type { QueryRequest, RequestAccess } from './request-access.ts'
import { isProvenBody, unknownMember } from './request-access.ts'
import type { GuardSettings, RequestSource } from './request-guard.ts'
import { allowedOriginOf, checkSource, isPreflight, preflightHeaders, sharedWith } from './request-guard.ts'
import type { Route } from './route.ts'

export interface QueryServerOptions {
  readonly listener?: HttpListener
  readonly guard?: GuardSettings
  readonly tls?: TlsOptions | undefined
  /** Who is answered; everybody by default. */
  readonly access?: RequestAccess | undefined
}

/**
 * The HTTP server of interactive queries. It knows no store: it registers a table of routes, parses what comes by their
 * schemas, and answers what they answer. Loaded only where a server is asked for.
 */
export const queryServer = (
  routes: readonly Route[],
  pages: () => PageReader,
  { listener = new HttpListener(), guard = onLoopback, tls, access }: QueryServerOptions = {},
): FastifyInstance => {
  const server = fastify({
    bodyLimit: largestBodyBytes,
    return503OnClosing: false,
    routerOptions: { maxParamLength: longestParameter },
    serverFactory: (handler) => listener.createServer(handler, tls),
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, _request, reply) => void refuse(reply as FastifyReply, asFault(error)),
  })
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(privateHeaders)
    const source = request.raw as RequestSource
    checkSource(source, guard)
    const origin = allowedOriginOf(source, guard)
    if (origin !== undefined) reply.headers(sharedWith(origin))
    if (origin !== undefined && isPreflight(source)) return reply.code(204).headers(preflightHeaders).send()
    if (request.routeOptions.config.caller !== 'member') return access?.check(asQuery(request))
    request.proven = await access?.checkMember(asQuery(request))
  })
  server.decorateRequest('proven', undefined)
  server.removeContentTypeParser('text/plain')
  const parseJson = server.getDefaultJsonParser('error', 'error')
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (!isProvenBody(request.proven, body)) return done(unknownMember())
    void parseJson(request, body.toString(), done)
  })
  server.addHook('onSend', async ({ proven }, reply, payload) => {
    listener.limitAnswer(reply.raw)
    if (proven !== undefined)
      void reply.header(signatureHeader, signAnswer(proven, reply.statusCode, payload as string))
  })
  for (const each of routes)
    server.route({
      method: each.method,
      url: each.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      config: { caller: each.caller },
      handler: async (request, reply) => {
        const { status, body } = await each.handle(parsed(each, request), pages())
        return reply.code(status).send(body)
      },
    })
  server.setErrorHandler((error, _request, reply) => refuse(reply, asFault(error)))
  server.setNotFoundHandler(({ method, url }, reply) => {
    const allowed = methodsOf(routes, url)
    if (allowed.length === 0) return refuse(reply, noRoute(method, url))
    return refuse(reply.header('allow', allowed.join(', ')), wrongMethod(method, allowed))
  })
  return server
}

declare module 'fastify' {
  interface FastifyContextConfig {
    caller?: Route['caller']
  }
  interface FastifyRequest {
    /** What a process of the application has proven by its signature. */
    proven?: ProvenRequest | undefined
  }
}

const asQuery = ({ method, url, headers, ip }: FastifyRequest): QueryRequest => ({
  method,
  url,
  headers,
  remoteAddress: ip,
})

const onLoopback: GuardSettings = { listensOn: '127.0.0.1', allowedHosts: [], allowedOrigins: [] }

/** What a store holds is for the one that asked. */
const privateHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', vary: 'Origin' }

/** Opens the server's port; resolves with the port it got. */
export const listen = async (
  server: FastifyInstance,
  at: Endpoint,
  setting = 'applicationServer or queryListen',
): Promise<number> => {
  try {
    await server.listen({ host: at.host, port: at.port })
  } catch (cause) {
    throw cannotListen(at, setting, cause)
  }
  const [address] = server.addresses()
  return typeof address === 'object' ? address.port : at.port
}

/** Closes the port. Answers under way get a moment. Then all connections are closed, whether their requests are complete or not. */
export const closeServer = async (
  server: FastifyInstance,
  listener: HttpListener,
  clock: Clock,
): Promise<void> => {
  const cancel = clock.setTimer(() => listener.destroyConnections(), closeGraceMs)
  const closed = server.close()
  listener.destroyIdleConnections()
  await closed
  listener.destroyConnections()
  cancel()
}

const closeGraceMs = 500

/** A key in the body may be a megabyte, and as base64 a third more. */
const largestBodyBytes = 8 * 1024 * 1024
/** Above the 249 characters of the longest store name; fastify's default is 100. */
const longestParameter = 300

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
  if (problem.code === 'UNAUTHORIZED') void reply.header('www-authenticate', 'Bearer')
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

const cannotListen = (at: Endpoint, setting: string, cause: unknown): Fault =>
  new Fault({
    code: 'QUERY_LISTEN_FAILED',
    actor: 'author',
    message: `queries can't be served on ${endpointText(at)}: ${messageOf(cause)}`,
    remedy: `set ${setting} to an address of this machine with a free port`,
    cause,
  })
