import type { Bytes } from '../../base/bytes.ts'
import type { Fault } from '../../base/fault.ts'
import { sleep } from '../../base/clock.ts'
import { systemClock } from '../../base/system-clock.ts'
import type { KafkaSettings } from '../kafka-settings.ts'
import { parseBrokers } from '../kafka-settings.ts'
import type { BrokerAddress, Lane, Transport, WireRequest } from '../transport.ts'
import { addressText } from '../transport.ts'
import type { ConnectionOptions } from './broker-connection.ts'
import { BrokerConnection, versionsRequest } from './broker-connection.ts'
import { closedFault } from './connection-faults.ts'

/**
 * The transport of production: one connection per lane and broker, opened on first use and again after a loss.
 *
 * Where one connection to a broker goes unanswered, the others from which nothing came either end with it. Otherwise each
 * would take a request timeout of its own to notice that the broker, or the way to it, is gone.
 *
 * @example
 * const transport = new TcpTransport({ brokers: 'kafka-1:9092,kafka-2:9092', clientId: 'shop' })
 */
export class TcpTransport implements Transport {
  readonly bootstrap: readonly BrokerAddress[]
  readonly #settings: KafkaSettings
  readonly #connections = new Map<string, OpenLane>()
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
    const stopProbing = waitsForGroup(lane) ? this.#probeWhileWaiting(broker) : undefined
    try {
      const connection = await this.#connection(broker, lane)
      return await connection.send(request)
    } catch (error) {
      throw this.#closed ? closedFault() : error
    } finally {
      stopProbing?.()
    }
  }

  disconnect(broker: BrokerAddress, lane: Lane, reason: Fault): void {
    this.#connections.get(nameOf(broker, lane))?.opened.then(
      (open) => open.end(reason),
      () => undefined,
    )
  }

  dropSilent(broker: BrokerAddress, silentMs: number): void {
    const address = addressText(broker)
    for (const { to, connection } of this.#connections.values())
      if (to === address && connection !== undefined && connection.silentMs >= silentMs) connection.abandon()
  }

  async close(): Promise<void> {
    this.#closed = true
    const open = await Promise.allSettled(Array.from(this.#connections.values(), ({ opened }) => opened))
    this.#connections.clear()
    await Promise.allSettled(
      open.flatMap((result) => (result.status === 'fulfilled' ? [result.value.close()] : [])),
    )
  }

  #connection(broker: BrokerAddress, lane: Lane): Promise<BrokerConnection> {
    const name = nameOf(broker, lane)
    const known = this.#connections.get(name)
    if (known !== undefined) return known.opened
    const to = addressText(broker)
    const options = this.#options(lane)
    const onGone = (isSilent: boolean): void => {
      this.#lostConnections++
      if (this.#connections.get(name) === open) this.#connections.delete(name)
      if (isSilent) this.dropSilent(broker, this.#requestTimeoutMs / 2)
    }
    const opened = BrokerConnection.open(broker, { ...options, onGone }).then(
      (connection) => (open.connection = connection),
    )
    const open: OpenLane = { to, opened, connection: undefined }
    this.#connections.set(name, open)
    return opened
  }

  /**
   * A group may take minutes to answer a join, so the request says nothing about its broker meanwhile. A lane beside it
   * does: once that goes unanswered, the join ends with it.
   */
  #probeWhileWaiting(broker: BrokerAddress): () => void {
    const stop = new AbortController()
    const probe = async (): Promise<void> => {
      for (;;) {
        await sleep(systemClock, this.#requestTimeoutMs / 3, stop.signal)
        if (stop.signal.aborted || this.#closed) return
        // What it rejects with, the join is rejected with too.
        await this.send(broker, 'control:probe', versionsRequest).catch(() => undefined)
      }
    }
    void probe()
    return () => stop.abort()
  }

  get #requestTimeoutMs(): number {
    return this.#settings.requestTimeoutMs ?? 30_000
  }

  #options(lane: Lane): Omit<ConnectionOptions, 'onGone'> {
    const { clientId, tls, sasl, connectTimeoutMs = 5_000, rebalanceTimeoutMs = 300_000 } = this.#settings
    return {
      clock: systemClock,
      clientId,
      tls,
      sasl,
      connectTimeoutMs,
      requestTimeoutMs: this.#requestTimeoutMs + (waitsForGroup(lane) ? rebalanceTimeoutMs : 0),
    }
  }
}

const nameOf = (broker: BrokerAddress, lane: Lane): string => `${lane} ${addressText(broker)}`

interface OpenLane {
  /** The broker's address. */
  readonly to: string
  readonly opened: Promise<BrokerConnection>
  connection: BrokerConnection | undefined
}

const waitsForGroup = (lane: Lane): boolean => lane.startsWith('join')
