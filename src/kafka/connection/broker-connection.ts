import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect as connectPlain } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Bytes } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { wireRequestOf } from '../apis.ts'
import type { KafkaSettings } from '../kafka-settings.ts'
import { malformedResponse } from '../malformed-response.ts'
import type { BrokerAddress, WireRequest } from '../transport.ts'
import { WireReader } from '../wire-bytes.ts'
import { authenticate } from './authentication.ts'
import type { Call } from './authentication.ts'
import { connectFault, isSilence, lossFault, timeoutFault } from './connection-faults.ts'
import { Deadline } from './deadline.ts'
import { FrameReader } from './frame-reader.ts'
import { sharedLookup } from './shared-lookup.ts'

/**
 * One connection to one broker: requests go out in the order they are sent and are answered in it. Sockets and TLS are
 * Node's, the mechanisms of SASL @platformatic/kafka's; bytes are moved by us, once in either direction.
 *
 * A connection ends once and for all: with `close`, when the broker ends it, or when a request is not answered in time,
 * since the answers that come after it are late as well. What is in flight then rejects. Until it settles, the bytes of
 * a request may still be on their way out.
 *
 * A peer that is gone without a word (a lost host, a forgotten NAT entry) looks like one that has nothing to send. TCP
 * keep-alive finds an idle one, and a connection from which nothing came for a while sends ApiVersions ahead of its next
 * request, which is answered at once or ends the connection after the connect timeout.
 */
export interface ConnectionOptions extends Pick<KafkaSettings, 'clientId' | 'tls' | 'sasl'> {
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly clock: Clock
  /** Called once, as soon as nothing can be sent any more; `isSilent` where the broker stopped answering. */
  readonly onGone: (isSilent: boolean) => void
}

interface Pending {
  readonly hasTags: boolean
  readonly resolve: (body: Bytes) => void
  readonly reject: (error: unknown) => void
  readonly dueMs: number
}

/** The share of a session's time after which the broker is shown the credentials again. */
const renewalShare = 0.8
/** Node rings at once for what is longer. */
const longestTimerMs = 2 ** 31 - 1
/** After how long without traffic the operating system begins to probe a connection. */
const keepAliveDelayMs = 10_000
/** A connection from which nothing came for so long may be dead. */
const probeAfterMs = 10_000
/** No request of ours has it. */
const probeCorrelationId = -1
/** For a broker that no longer reads what it is sent. */
const drainTimeoutMs = 1_000

export class BrokerConnection {
  readonly #broker: BrokerAddress
  readonly #options: ConnectionOptions
  readonly #clientId: Buffer
  readonly #socket: Socket
  readonly #frames: FrameReader = new FrameReader((frame) => this.#take(frame))
  readonly #inFlight = new Map<number, Pending>()
  readonly #ended = Promise.withResolvers<void>()
  readonly #deadline: Deadline
  #correlationId = 0
  #receivedMs: number
  #hasReceived = false
  #isGone = false
  #ending: unknown
  #cancelRenewal: (() => void) | undefined
  /** Under way while credentials are shown again: the broker takes no other request in between. */
  #renewal: Promise<void> | undefined

  /** Connects and authenticates; rejects with a `Fault` that names the broker and the way out. */
  static async open(broker: BrokerAddress, options: ConnectionOptions): Promise<BrokerConnection> {
    const connection = connecting(broker, () => new BrokerConnection(broker, options))
    try {
      await connection.#prepare()
    } catch (error) {
      connection.end(error)
      throw connectFault(broker, connection.#ending ?? error)
    }
    return connection
  }

  private constructor(broker: BrokerAddress, options: ConnectionOptions) {
    this.#broker = broker
    this.#options = options
    this.#clientId = Buffer.from(options.clientId)
    this.#receivedMs = options.clock.monotonicMs()
    this.#deadline = new Deadline(
      options.clock,
      () => this.#firstDueMs(),
      () => this.end(timeoutFault(broker)),
    )
    this.#socket = this.#connect()
    this.#socket.setNoDelay(true)
    this.#socket.setKeepAlive(true, keepAliveDelayMs)
    this.#socket.on('error', (error) => this.end(error))
    this.#socket.on('close', () => this.#closed())
  }

  send(request: WireRequest): Promise<Bytes> {
    if (this.#renewal !== undefined) return this.#renewal.then(() => this.#exchange(request))
    if (this.#mayBeDead) this.#probe()
    return this.#exchange(request)
  }

  /** For how long nothing has been received. */
  get silentMs(): number {
    return this.#options.clock.monotonicMs() - this.#receivedMs
  }

  /** The broker does not answer elsewhere: what is in flight rejects as if its own time were over. */
  abandon(): void {
    this.end(timeoutFault(this.#broker))
  }

  /** Ends the connection after what was written has gone out; what is in flight rejects. */
  async close(): Promise<void> {
    this.#socket.destroySoon()
    const cancel = this.#options.clock.setTimer(() => this.#socket.destroy(), drainTimeoutMs)
    await this.#ended.promise
    cancel()
  }

  #connect(): Socket {
    const { tls } = this.#options
    const options = {
      host: this.#broker.host,
      port: this.#broker.port,
      lookup: sharedLookup,
      onread: {
        buffer: () => this.#frames.room,
        callback: (length: number, buffer: Uint8Array) => this.#receive(length, buffer),
      },
    }
    return tls === undefined ? connectPlain(options) : connectTls({ ...tls, ...options })
  }

  async #prepare(): Promise<void> {
    const { tls } = this.#options
    await this.#inTime(once(this.#socket, tls === undefined ? 'connect' : 'secureConnect'))
    await this.#inTime(this.#authenticate())
  }

  async #authenticate(): Promise<void> {
    const { sasl } = this.#options
    if (sasl === undefined) return
    const lifetimeMs = await authenticate(sasl, this.#call)
    if (lifetimeMs <= 0 || this.#isGone) return
    const renewalMs = Math.min(lifetimeMs * renewalShare, longestTimerMs)
    this.#cancelRenewal = this.#options.clock.setTimer(() => this.#renew(), renewalMs)
  }

  /** KIP-368. What is in flight is still answered. */
  #renew(): void {
    const renewal = this.#inTime(this.#authenticate()).catch((error: unknown) => this.end(error))
    // The first to see the end, or a request could overtake those that wait for it.
    void renewal.then(() => (this.#renewal = undefined))
    this.#renewal = renewal
  }

  /** What is waited for may never come: a connection, a secret, an answer. */
  async #inTime(work: Promise<unknown>): Promise<void> {
    const cancel = this.#options.clock.setTimer(
      () => this.end(timeoutFault(this.#broker)),
      this.#options.connectTimeoutMs,
    )
    const ended = this.#ended.promise.then(() => Promise.reject(this.#ending as Error))
    try {
      await Promise.race([work, ended])
    } finally {
      cancel()
    }
  }

  #firstDueMs(): number {
    let firstMs = Number.POSITIVE_INFINITY
    for (const { dueMs } of this.#inFlight.values()) firstMs = Math.min(firstMs, dueMs)
    return firstMs
  }

  get #mayBeDead(): boolean {
    return this.#inFlight.size === 0 && (!this.#hasReceived || this.silentMs >= probeAfterMs)
  }

  /** Brokers answer the requests of a connection in order, so nothing that takes long may be before it. */
  #probe(): void {
    if (this.#isGone) return
    this.#inFlight.set(probeCorrelationId, {
      hasTags: false,
      resolve: () => undefined,
      reject: () => undefined,
      dueMs: this.#deadline.in(this.#options.connectTimeoutMs),
    })
    this.#write(probeCorrelationId, versionsRequest)
  }

  readonly #call: Call = async (api, ...args) => {
    const body = await this.#exchange(wireRequestOf(api, ...args))
    try {
      return api.decode(body)
    } catch (error) {
      throw malformedResponse(this.#broker, api, error)
    }
  }

  #exchange(request: WireRequest): Promise<Bytes> {
    return new Promise((resolve, reject) => {
      if (this.#isGone) {
        reject(lossFault(this.#broker, this.#ending))
        return
      }
      this.#correlationId = (this.#correlationId + 1) & 0x7f_ff_ff_ff
      this.#inFlight.set(this.#correlationId, {
        hasTags: request.taggedResponseHeader,
        resolve,
        reject,
        dueMs: this.#deadline.in(this.#options.requestTimeoutMs),
      })
      this.#write(this.#correlationId, request)
    })
  }

  /** Header and body as they are, in one system call. */
  #write(correlationId: number, { apiKey, apiVersion, body, taggedRequestHeader }: WireRequest): void {
    const length = 14 + this.#clientId.length + (taggedRequestHeader ? 1 : 0)
    const header = Buffer.allocUnsafe(length)
    header.writeInt32BE(length - 4 + body.length, 0)
    header.writeInt16BE(apiKey, 4)
    header.writeInt16BE(apiVersion, 6)
    header.writeInt32BE(correlationId, 8)
    header.writeInt16BE(this.#clientId.length, 12)
    header.set(this.#clientId, 14)
    if (taggedRequestHeader) header[length - 1] = 0
    this.#socket.cork()
    this.#socket.write(header)
    this.#socket.write(body)
    this.#socket.uncork()
  }

  #receive(length: number, buffer: Uint8Array): boolean {
    this.#receivedMs = this.#options.clock.monotonicMs()
    if (!this.#hasReceived && this.#options.tls === undefined && isTlsRecord(buffer, length))
      this.end(new Error('The broker requires TLS.'))
    this.#hasReceived = true
    try {
      if (!this.#isGone) this.#frames.take(length)
    } catch (error) {
      this.end(new Error('The broker sent what is no answer of Kafka.', { cause: error }))
    }
    return true
  }

  #take(frame: Buffer): void {
    const reader = new WireReader(frame)
    const correlationId = reader.int32()
    const pending = this.#inFlight.get(correlationId)
    if (pending === undefined) {
      this.end(new Error(`The broker answered request ${correlationId}, which was not sent.`))
      return
    }
    if (pending.hasTags) reader.skipTags()
    this.#inFlight.delete(correlationId)
    pending.resolve(frame.subarray(reader.position))
  }

  /**
   * Ends the connection at once; what is in flight rejects. The first reason counts. The bytes of requests are no longer
   * read once the socket is destroyed.
   */
  end(reason: unknown): void {
    this.#ending ??= reason
    this.#gone()
    this.#socket.destroy()
  }

  #closed(): void {
    this.#ending ??= new Error('The broker closed the connection.')
    this.#gone()
    for (const { reject } of this.#inFlight.values()) reject(lossFault(this.#broker, this.#ending))
    this.#inFlight.clear()
    this.#ended.resolve()
  }

  #gone(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#cancelRenewal?.()
    this.#deadline.cancel()
    this.#options.onGone(isSilence(this.#ending))
  }
}

/** Node throws at once where metadata named a port that cannot be one. */
const connecting = (broker: BrokerAddress, connect: () => BrokerConnection): BrokerConnection => {
  try {
    return connect()
  } catch (error) {
    throw connectFault(broker, error)
  }
}

/** ApiVersions 0, which every broker answers, with or without rights. */
export const versionsRequest: WireRequest = {
  apiKey: 18,
  apiVersion: 0,
  body: new Uint8Array(0),
  taggedRequestHeader: false,
  taggedResponseHeader: false,
}

/** A broker that speaks TLS on this port answers plain text with a record of it: an alert, most often. */
const isTlsRecord = (bytes: Uint8Array, length: number): boolean =>
  length >= 3 &&
  (bytes[0] as number) >= 0x14 &&
  (bytes[0] as number) <= 0x17 &&
  bytes[1] === 3 &&
  (bytes[2] as number) <= 4
