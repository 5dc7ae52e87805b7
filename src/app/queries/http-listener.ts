import type { RequestListener, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { ServerOptions as TlsOptions } from 'node:https'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { backgroundTimer } from '../../base/system-clock.ts'

/**
 * Node's HTTP server with a bound on everything a client may take: time for its TLS handshake, for its request and for
 * reading the answer, time without traffic, and the number of connections. Beyond that number, the connection that has been
 * idle longest is closed, so that silent clients never keep others out.
 */
export class HttpListener {
  readonly #connections = new Map<string, Connection>()

  /** One server for each address of a host; Fastify asks for several where it listens on `localhost`. */
  createServer(handler: RequestListener, tls: TlsOptions | undefined): Server {
    const server =
      tls === undefined
        ? createServer(options, handler)
        : createTlsServer({ ...options, ...tls, handshakeTimeout: requestTimeoutMs }, handler)
    server.timeout = idleConnectionMs
    server.on('connection', (socket: Socket) => this.#opened(socket))
    // An expectation that HTTP does not define may be ignored.
    server.on('checkExpectation', handler)
    server.on('request', ({ socket }, response: ServerResponse) => this.#asked(socket, response))
    return server
  }

  /** Gives the client of an answer that is ready its time to read it. */
  limitAnswer(response: ServerResponse): void {
    const cancel = backgroundTimer(() => response.socket?.destroy(), answerTimeoutMs)
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
    if (this.#connections.size > maxConnections) this.#evict()
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

/** How long a client may take for its TLS handshake and for its request. */
const requestTimeoutMs = 10_000
const idleConnectionMs = 30_000
/** How long a client may take to read an answer. */
const answerTimeoutMs = 30_000
const maxConnections = 1_000

const options = {
  headersTimeout: requestTimeoutMs,
  requestTimeout: requestTimeoutMs,
  keepAliveTimeout: idleConnectionMs,
  connectionsCheckingInterval: 1_000,
  // Node would answer without a body; the guard of requests refuses them.
  requireHostHeader: false,
}
