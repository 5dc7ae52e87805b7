import type { RequestListener, Server, ServerOptions, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { ServerOptions as TlsOptions } from 'node:https'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { backgroundTimer } from '../../base/system-clock.ts'
import { descriptorTable } from '../../files/descriptors.ts'

/** What a client may take. */
export interface ConnectionLimits {
  /** For its TLS handshake, and for its request. */
  readonly requestTimeoutMs: number
  /** Without any traffic. */
  readonly idleTimeoutMs: number
  /** To read an answer. */
  readonly answerTimeoutMs: number
  readonly maxConnections: number
}

/**
 * Node's HTTP server with a bound on everything a client may take: time for its TLS handshake, for its request and for
 * reading the answer, time without traffic, and the number of connections. Beyond that number, the connection that has been
 * idle longest is closed, so that silent clients never keep others out.
 */
export class HttpListener {
  readonly #limits: ConnectionLimits
  readonly #connections = new Map<string, Connection>()
  readonly #tlsServers: TlsServer[] = []

  constructor(limits: ConnectionLimits = usualLimits()) {
    this.#limits = limits
  }

  /** One server for each address of a host; Fastify asks for several where it listens on `localhost`. */
  createServer(handler: RequestListener, tls: TlsOptions | undefined): Server {
    const { requestTimeoutMs, idleTimeoutMs } = this.#limits
    const options = serverOptionsOf(this.#limits)
    const server =
      tls === undefined
        ? createServer(options, handler)
        : createTlsServer({ ...options, ...tls, handshakeTimeout: requestTimeoutMs }, handler)
    if (server instanceof TlsServer) this.#tlsServers.push(server)
    server.timeout = idleTimeoutMs
    server.on('connection', (socket: Socket) => this.#opened(socket))
    // An expectation that HTTP does not define may be ignored.
    server.on('checkExpectation', handler)
    server.on('request', ({ socket }, response: ServerResponse) => this.#asked(socket, response))
    return server
  }

  /** New connections get this certificate. */
  renewTls(tls: TlsOptions): void {
    for (const server of this.#tlsServers) server.setSecureContext(tls)
  }

  /** Gives the client of an answer that is ready its time to read it. */
  limitAnswer(response: ServerResponse): void {
    const cancel = backgroundTimer(() => response.socket?.destroy(), this.#limits.answerTimeoutMs)
    response.once('close', cancel)
  }

  /** Ends every connection, also those whose TLS handshake or request is not complete. */
  destroyConnections(): void {
    for (const { socket } of this.#connections.values()) socket.destroy()
  }

  /** Ends the connections on which no request is under way. */
  destroyIdleConnections(): void {
    for (const { socket, requests } of this.#connections.values()) if (requests === 0) socket.destroy()
  }

  #opened(socket: Socket): void {
    const name = nameOf(socket)
    this.#connections.set(name, { socket, requests: 0 })
    socket.once('close', () => this.#connections.delete(name))
    if (this.#connections.size > this.#limits.maxConnections) this.#evict()
  }

  #asked(socket: Socket, response: ServerResponse): void {
    const connection = this.#connections.get(nameOf(socket))
    if (connection === undefined) return
    connection.requests++
    response.once('close', () => connection.requests--)
  }

  #evict(): void {
    const connections = [...this.#connections.values()]
    const evicted = connections.find(({ requests }) => requests === 0) ?? connections.at(-1)
    evicted?.socket.destroy()
  }
}

interface Connection {
  readonly socket: Socket
  /** Requests that have not been answered. */
  requests: number
}

/** The same for a TLS connection and for the TCP connection below it. */
const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/** Clients leave the larger part of the descriptors to brokers and state. */
const usualLimits = (): ConnectionLimits => ({
  requestTimeoutMs: 10_000,
  idleTimeoutMs: 30_000,
  answerTimeoutMs: 30_000,
  maxConnections: Math.max(1, Math.min(1_000, Math.floor((descriptorTable().limit ?? Infinity) / 4))),
})

const serverOptionsOf = ({ requestTimeoutMs, idleTimeoutMs }: ConnectionLimits): ServerOptions => ({
  headersTimeout: requestTimeoutMs,
  requestTimeout: requestTimeoutMs,
  keepAliveTimeout: idleTimeoutMs,
  connectionsCheckingInterval: Math.min(1_000, requestTimeoutMs),
  // Node would answer without a body; the guard of requests refuses them.
  requireHostHeader: false,
})
