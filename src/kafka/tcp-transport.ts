import { Connection, Writer } from '@platformatic/kafka'
import type { ConnectionOptions, Reader } from '@platformatic/kafka'
import type { Bytes } from '../base/bytes.ts'
import { Fault, messageOf } from '../base/fault.ts'
import type { KafkaSettings } from './kafka-settings.ts'
import { parseBrokers } from './kafka-settings.ts'
import { causesOf, securityFault } from './security-fault.ts'
import type { BrokerAddress, Lane, Transport, WireRequest } from './transport.ts'
import { addressText } from './transport.ts'

/**
 * The transport of production: @platformatic/kafka's connections (TCP, TLS, SASL, framing, correlation), one per lane
 * and broker, opened on first use and again after a loss. The library's pool is not used: it may forget a new
 * connection when an old one of the same address closes.
 *
 * @example
 * const transport = new TcpTransport({ brokers: 'kafka-1:9092,kafka-2:9092', clientId: 'shop' })
 */
export class TcpTransport implements Transport {
  readonly bootstrap: readonly BrokerAddress[]
  readonly #settings: KafkaSettings
  readonly #connections = new Map<string, Promise<Connection>>()
  /** What ended a connection. Its requests are only told that it is closed, and an alert of TLS comes after connecting. */
  readonly #endings = new WeakMap<Connection, unknown>()
  #closed = false

  constructor(settings: KafkaSettings) {
    this.#settings = settings
    this.bootstrap = parseBrokers(settings.brokers)
  }

  async send(broker: BrokerAddress, lane: Lane, request: WireRequest): Promise<Bytes> {
    if (this.#closed) throw closedFault()
    const connection = await this.#connection(broker, lane)
    return new Promise((resolve, reject) => {
      connection.send(
        request.apiKey,
        request.apiVersion,
        () => Writer.create().append(asBuffer(request.body)),
        (_correlationId, _apiKey, _apiVersion, reader) => bodyOf(reader),
        request.taggedRequestHeader,
        request.taggedResponseHeader,
        (error, body) => {
          if (error === null || error === undefined) resolve(body as Bytes)
          else
            reject(
              this.#closed ? closedFault() : requestFault(broker, this.#endings.get(connection) ?? error),
            )
        },
      )
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    const open = await Promise.allSettled(this.#connections.values())
    this.#connections.clear()
    await Promise.allSettled(
      open.flatMap((result) => (result.status === 'fulfilled' ? [result.value.close()] : [])),
    )
  }

  #connection(broker: BrokerAddress, lane: Lane): Promise<Connection> {
    const name = `${lane} ${addressText(broker)}`
    const known = this.#connections.get(name)
    if (known !== undefined) return known
    const opened = this.#open(broker, lane, () => {
      if (this.#connections.get(name) === opened) this.#connections.delete(name)
    })
    this.#connections.set(name, opened)
    return opened
  }

  async #open(broker: BrokerAddress, lane: Lane, onGone: () => void): Promise<Connection> {
    const connection = new Connection(this.#settings.clientId, this.#options(lane))
    connection.on('error', (error) => {
      this.#endings.set(connection, error)
      onGone()
    })
    connection.on('close', onGone)
    connection.on('closing', onGone)
    try {
      await connection.connect(broker.host, broker.port)
    } catch (error) {
      onGone()
      throw connectFault(broker, error)
    }
    return connection
  }

  #options(lane: Lane): ConnectionOptions {
    const { tls, sasl, connectTimeoutMs = 5_000, requestTimeoutMs = 30_000 } = this.#settings
    const waitsForGroup = lane.startsWith('join')
    return {
      connectTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs + (waitsForGroup ? (this.#settings.rebalanceTimeoutMs ?? 300_000) : 0),
      maxInflights: 16,
      ...(tls === undefined ? {} : { tls }),
      ...(sasl === undefined ? {} : { sasl }),
    }
  }
}

const asBuffer = (bytes: Bytes): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The rest of the response in one piece; a small one is copied, or it would pin its whole socket chunk. */
const bodyOf = (reader: Reader): Bytes => {
  const all = reader.buffer.buffer
  const body = all.subarray(reader.position)
  return body.length * 4 < all.buffer.byteLength ? new Uint8Array(body) : body
}

const closedFault = (): Fault =>
  new Fault({
    code: 'TRANSPORT_CLOSED',
    actor: 'runtime',
    message: 'the connection to Kafka has been closed',
  })

const connectFault = (broker: BrokerAddress, error: unknown): Fault =>
  securityFault(broker, error) ??
  new Fault({
    code: 'BROKER_UNREACHABLE',
    actor: 'retry',
    message: `no Kafka broker answers at ${addressText(broker)} (${reasonOf(error)})`,
    remedy: 'start Kafka there or name a running broker in the setting bootstrapServers',
    cause: error,
  })

const requestFault = (broker: BrokerAddress, error: unknown): Fault => {
  const security = securityFault(broker, error)
  if (security !== undefined) return security
  const timedOut = [...causesOf(error)].some((cause) => /timed out/i.test(cause.message))
  return new Fault({
    code: timedOut ? 'REQUEST_TIMED_OUT' : 'CONNECTION_LOST',
    actor: 'retry',
    message: timedOut
      ? `broker ${addressText(broker)} did not answer in time`
      : `the connection to broker ${addressText(broker)} was lost (${reasonOf(error)})`,
    cause: error,
  })
}

/** The innermost reason, which names the system call or the handshake that failed. */
const reasonOf = (error: unknown): string => {
  let reason = messageOf(error)
  for (const cause of causesOf(error)) if (cause.message !== '') reason = cause.message
  return reason
}
