import type { Bytes } from '../../base/bytes.ts'
import type { Fault } from '../../base/fault.ts'
import { systemClock } from '../../base/system-clock.ts'
import type { KafkaSettings } from '../kafka-settings.ts'
import { parseBrokers } from '../kafka-settings.ts'
import type { BrokerAddress, Lane, Transport, WireRequest } from '../transport.ts'
import { addressText } from '../transport.ts'
import type { ConnectionOptions } from './broker-connection.ts'
import { BrokerConnection } from './broker-connection.ts'
import { closedFault } from './connection-faults.ts'

/**
 * The transport of production: one connection per lane and broker, opened on first use and again after a loss.
 *
 * @example
 * const transport = new TcpTransport({ brokers: 'kafka-1:9092,kafka-2:9092', clientId: 'shop' })
 */
export class TcpTransport implements Transport {
  readonly bootstrap: readonly BrokerAddress[]
  readonly #settings: KafkaSettings
  readonly #connections = new Map<string, Promise<BrokerConnection>>()
  #lostConnections = 0
  #closed = false

  constructor(settings: KafkaSettings) {
    this.#settings = settings
    this.bootstrap = parseBrokers(settings.brokers)
  }

  get lostConnections(): number {
    return this.#lostConnections
  }

  async send(broker: BrokerAddress, lane: Lane, request: WireRequest): Promise<Bytes> {
    if (this.#closed) throw closedFault()
    try {
      const connection = await this.#connection(broker, lane)
      return await connection.send(request)
    } catch (error) {
      throw this.#closed ? closedFault() : error
    }
  }

  disconnect(broker: BrokerAddress, lane: Lane, reason: Fault): void {
    const connection = this.#connections.get(nameOf(broker, lane))
    connection?.then(
      (open) => open.end(reason),
      () => undefined,
    )
  }

  async close(): Promise<void> {
    this.#closed = true
    const open = await Promise.allSettled(this.#connections.values())
    this.#connections.clear()
    await Promise.allSettled(
      open.flatMap((result) => (result.status === 'fulfilled' ? [result.value.close()] : [])),
    )
  }

  #connection(broker: BrokerAddress, lane: Lane): Promise<BrokerConnection> {
    const name = nameOf(broker, lane)
    const known = this.#connections.get(name)
    if (known !== undefined) return known
    const onGone = (): void => {
      this.#lostConnections++
      if (this.#connections.get(name) === opened) this.#connections.delete(name)
    }
    const opened = BrokerConnection.open(broker, { ...this.#options(lane), onGone })
    this.#connections.set(name, opened)
    return opened
  }

  #options(lane: Lane): Omit<ConnectionOptions, 'onGone'> {
    const {
      clientId,
      tls,
      sasl,
      connectTimeoutMs = 5_000,
      requestTimeoutMs = 30_000,
      rebalanceTimeoutMs = 300_000,
    } = this.#settings
    const waitsForGroup = lane.startsWith('join')
    return {
      clock: systemClock,
      clientId,
      tls,
      sasl,
      connectTimeoutMs,
      requestTimeoutMs: requestTimeoutMs + (waitsForGroup ? rebalanceTimeoutMs : 0),
    }
  }
}

const nameOf = (broker: BrokerAddress, lane: Lane): string => `${lane} ${addressText(broker)}`
