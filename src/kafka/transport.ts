import type { Bytes } from '../base/bytes.ts'
import type { Fault } from '../base/fault.ts'

/**
 * The one seam to Kafka: a transport carries one encoded request to one broker and resolves with the response's body.
 *
 * It is byte-level on purpose. What goes over is exactly what a broker's core takes and gives (an API key, a version
 * and a body), so that the simulated transport can call the embedded broker in process, and everything above the seam
 * (codecs, fetcher, producer, transactions, groups) is the same code in production and in a simulation.
 *
 * A transport knows nothing of retries, metadata or error codes in bodies. It rejects with a `Fault`:
 * `BROKER_UNREACHABLE`, `CONNECTION_LOST`, `REQUEST_TIMED_OUT` (these three are for a retry), `AUTHENTICATION_FAILED`,
 * `TLS_REQUIRED` (for the author) or `TRANSPORT_CLOSED`.
 */
export interface Transport {
  /** Where to ask first. */
  readonly bootstrap: readonly BrokerAddress[]
  /** How many connections have ended by themselves so far: where that grows, a broker may have gone. */
  readonly lostConnections: number
  /** Sends one request; requests of one lane to one broker arrive in the order they were sent. */
  send(broker: BrokerAddress, lane: Lane, request: WireRequest): Promise<Bytes>
  /** Ends one connection, whose answers cannot be read; what is in flight on it rejects with `reason`. */
  disconnect(broker: BrokerAddress, lane: Lane, reason: Fault): void
  /**
   * Ends the connections to a broker from which nothing has come for `silentMs`: it stopped answering. What is in flight
   * rejects with `REQUEST_TIMED_OUT`, and the next request connects again.
   */
  dropSilent(broker: BrokerAddress, silentMs: number): void
  /** Ends all connections; what is in flight rejects. */
  close(): Promise<void>
}

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/**
 * A broker serves one request of a connection at a time, so a long poll blocks what is queued behind it: each lane has
 * its own connection per broker. A suffix makes a lane of its own for a second user, such as `fetch:restore`.
 */
export type LaneKind = 'fetch' | 'produce' | 'join' | 'control'
export type Lane = LaneKind | `${LaneKind}:${string}`

export interface WireRequest {
  readonly apiKey: number
  readonly apiVersion: number
  /** The request without its header. Not touched after the promise settles. */
  readonly body: Bytes
  /** True where the request's header has tagged fields (version 2 of the header). */
  readonly taggedRequestHeader: boolean
  /** True where the response's header has tagged fields (version 1 of the header). */
  readonly taggedResponseHeader: boolean
}

export const addressText = ({ host, port }: BrokerAddress): string => `${host}:${port}`
