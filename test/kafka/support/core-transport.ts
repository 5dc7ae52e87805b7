import type { Bytes } from '../../../src/base/bytes.ts'
import { concatBytes, utf8Encode } from '../../../src/base/bytes.ts'
import { Fault } from '../../../src/base/fault.ts'
import type { BrokerCore, Connection } from '../../../src/broker/index.ts'
import type { BrokerAddress, Lane, Transport, WireRequest } from '../../../src/kafka/transport.ts'

interface Open {
  readonly connection: Connection
  readonly pending: Set<(fault: Fault) => void>
}

/** A transport into the embedded broker's core in this process: no sockets, the core's clock, its fault hooks. */
export class CoreTransport implements Transport {
  readonly bootstrap: readonly BrokerAddress[] = [{ host: '127.0.0.1', port: 9092 }]
  /** While true nothing gets through. */
  isDown = false
  lostConnections = 0
  /** The requests that were sent, oldest first. */
  readonly sent: { readonly lane: Lane; readonly apiKey: number; readonly apiVersion: number }[] = []
  readonly #core: BrokerCore
  readonly #connections = new Map<Lane, Open>()
  #correlationId = 0

  constructor(core: BrokerCore) {
    this.#core = core
  }

  async send(_broker: BrokerAddress, lane: Lane, request: WireRequest): Promise<Bytes> {
    if (this.isDown) throw fault('BROKER_UNREACHABLE')
    this.sent.push({ lane, apiKey: request.apiKey, apiVersion: request.apiVersion })
    const open = this.#open(lane)
    const frame = concatBytes(this.#header(request), request.body)
    const lost = Promise.withResolvers<never>()
    open.pending.add(lost.reject)
    try {
      const chunks = await Promise.race([this.#request(lane, open, frame), lost.promise])
      return concatBytes(...(chunks ?? [])).subarray(request.taggedResponseHeader ? 5 : 4)
    } finally {
      open.pending.delete(lost.reject)
    }
  }

  /** A connection that the broker closes takes with it all that is in flight on it. */
  async #request(lane: Lane, open: Open, frame: Bytes): Promise<readonly Bytes[] | undefined> {
    try {
      return await open.connection.request(frame)
    } catch {
      this.#lose(lane, open)
      throw fault('CONNECTION_LOST')
    }
  }

  disconnect(_broker: BrokerAddress, lane: Lane): void {
    const open = this.#connections.get(lane)
    if (open !== undefined) this.#lose(lane, open)
  }

  /** A silent broker is one whose answers do not come: what waits for them ends. */
  dropSilent(): void {
    this.loseAll()
  }

  async close(): Promise<void> {
    this.loseAll()
  }

  /** Every connection ends, as when the broker dies. */
  loseAll(): void {
    for (const [lane, open] of this.#connections) this.#lose(lane, open)
  }

  #open(lane: Lane): Open {
    let open = this.#connections.get(lane)
    if (open === undefined) {
      open = { connection: this.#core.connect(), pending: new Set() }
      this.#connections.set(lane, open)
    }
    return open
  }

  #lose(lane: Lane, open: Open): void {
    if (this.#connections.get(lane) === open) this.#connections.delete(lane)
    this.lostConnections++
    open.connection.close()
    for (const reject of open.pending) reject(fault('CONNECTION_LOST'))
    open.pending.clear()
  }

  #header({ apiKey, apiVersion, taggedRequestHeader }: WireRequest): Bytes {
    const clientId = utf8Encode('core-transport')
    const header = Buffer.alloc(10 + clientId.length + (taggedRequestHeader ? 1 : 0))
    header.writeInt16BE(apiKey, 0)
    header.writeInt16BE(apiVersion, 2)
    header.writeInt32BE(++this.#correlationId, 4)
    header.writeInt16BE(clientId.length, 8)
    header.set(clientId, 10)
    return header
  }
}

const fault = (code: string): Fault => new Fault({ code, actor: 'retry', message: 'the broker is away' })
