import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/**
 * A TCP proxy on the loopback that behaves like a bad network: slow, lossy, or silent. It changes no bytes, so a Kafka
 * behind it must advertise the address of the proxy (`listeners` of `startKafka`, with `advertised`).
 *
 * @example
 * await using proxy = await FaultProxy.start({ target: kafka.brokers })
 * proxy.network = { latencyMs: 500 }
 * proxy.resetAll()
 */
export interface Network {
  /** Added to each way. */
  readonly latencyMs?: number
  /** Of each connection, each way. */
  readonly bytesPerSecond?: number
  /** The share of chunks at which the connection is reset. */
  readonly resetProbability?: number
}

export interface FaultProxyOptions {
  /** `host:port`. */
  readonly target: string
  /** Any free port by default. */
  readonly port?: number
  /** From 0 to 1, for `resetProbability`. */
  readonly random?: () => number
}

export class FaultProxy implements AsyncDisposable {
  network: Network = {}
  readonly random: () => number
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  #hole: PromiseWithResolvers<void> | undefined

  private constructor({ target, random = Math.random }: FaultProxyOptions) {
    this.random = random
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      const connection = new Connection(this, client, target)
      this.#connections.add(connection)
      connection.ended = () => this.#connections.delete(connection)
    })
  }

  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    proxy.#server.once('error', reject)
    proxy.#server.listen(options.port ?? 0, '127.0.0.1', resolve)
    await promise
    return proxy
  }

  /** `host:port`. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get connections(): number {
    return this.#connections.size
  }

  /** Ends every connection by RST, towards both ends. */
  resetAll(): void {
    for (const connection of this.#connections) connection.reset()
  }

  /** Half-open connections: those that exist pass nothing from now on, not even their end. New ones work. */
  silenceAll(): void {
    for (const connection of this.#connections) connection.silence()
  }

  /** Nothing passes, on new connections neither, until `closeHole`: then it arrives late, as TCP sends it again. */
  openHole(): void {
    this.#hole ??= Promise.withResolvers<void>()
  }

  closeHole(): void {
    this.#hole?.resolve()
    this.#hole = undefined
  }

  /** Resolves when the hole is closed; undefined without one. */
  passable(): Promise<void> | undefined {
    return this.#hole?.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closeHole()
    this.resetAll()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

class Connection {
  ended: () => void = () => undefined
  readonly #client: Socket
  readonly #server: Socket
  #isSilent = false

  constructor(proxy: FaultProxy, client: Socket, target: string) {
    const [host, port] = target.split(':')
    this.#client = client
    this.#server = connect({ host: host as string, port: Number(port), allowHalfOpen: true })
    this.#pass(proxy, this.#client, this.#server)
    this.#pass(proxy, this.#server, this.#client)
  }

  reset(): void {
    for (const socket of [this.#client, this.#server]) socket.resetAndDestroy()
  }

  silence(): void {
    this.#isSilent = true
  }

  #pass(proxy: FaultProxy, from: Socket, to: Socket): void {
    let last = Promise.resolve()
    from.setNoDelay(true)
    from.on('data', (chunk) => {
      const dueMs = performance.now() + (proxy.network.latencyMs ?? 0)
      last = last.then(() => this.#deliver(proxy, chunk, dueMs, to))
      if (proxy.network.bytesPerSecond === undefined) return
      // A narrow path makes its sender wait.
      from.pause()
      last = last.then(() => void from.resume())
    })
    from.on('end', () => void last.then(() => this.#deliverEnd(to)))
    // An error is followed by `close`.
    from.on('error', () => undefined)
    from.on('close', (hadError) => {
      if (hadError) void last.then(() => this.#deliverReset(to))
      if (this.#client.destroyed && this.#server.destroyed) this.ended()
    })
  }

  async #deliver(proxy: FaultProxy, chunk: Buffer, dueMs: number, to: Socket): Promise<void> {
    const { bytesPerSecond, resetProbability = 0 } = proxy.network
    await proxy.passable()
    await pause(dueMs - performance.now())
    if (bytesPerSecond !== undefined) await pause((chunk.length / bytesPerSecond) * 1_000)
    if (this.#isSilent || to.destroyed) return
    if (resetProbability > 0 && proxy.random() < resetProbability) this.reset()
    else if (!to.write(chunk)) await writable(to)
  }

  #deliverEnd(to: Socket): void {
    if (!this.#isSilent) to.end()
  }

  #deliverReset(to: Socket): void {
    if (!this.#isSilent) to.resetAndDestroy()
  }
}

const pause = async (ms: number): Promise<void> => {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
}

const writable = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('drain', resolve)
    socket.once('close', () => resolve())
  })
