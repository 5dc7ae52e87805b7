import type { Observable } from 'rxjs'
import { BehaviorSubject, distinctUntilChanged, Subscriber } from 'rxjs'
import { isFault, messageOf, placed } from '../../base/fault.ts'
import { systemClock } from '../../base/system-clock.ts'
import type { Cluster } from '../../kafka/cluster.ts'
import { Producer } from '../../kafka/producer.ts'
import { producerSettingsOf } from '../../runtime/producer-settings.ts'
import { fieldsOf } from '../../runtime/runtime-settings.ts'
import { StreamRecord } from '../../topic/record.ts'
import type { SinkTopic, Topic } from '../../topic/topic.ts'
import { Completion } from '../completion.ts'
import { clientClusterOf } from '../cluster-of.ts'
import { standardErrorLogger } from '../logger.ts'
import type { Settings } from '../settings.ts'

/** A record to be written. */
export interface OutgoingRecord<K, V> {
  readonly key: K | null
  readonly value: V | null
  /** Milliseconds since the Unix epoch; defaults to now. */
  readonly timestamp?: number
  readonly headers?: StreamRecord<K, V>['headers']
}

/** What can be published: a record as `observe` and operators give it, or one of your own. */
export type PublishedRecord<K, V> = OutgoingRecord<K, V> | StreamRecord<K | null, V | null>

/**
 * An observer that writes what it gets to a topic, with connections of its own. When its source completes, fails or is
 * unsubscribed, it writes what it has got, waits for the broker and closes the connections; `done` says how that went.
 *
 * A record that cannot be written (its serde refuses it, the broker does) unsubscribes from the source and is the
 * rejection of `done`. Where no handler is attached to `done`, the failure is logged and the exit code of the process is 1.
 *
 * @example
 * const client = connect({ bootstrapServers: 'localhost:9092' })
 * const publisher = client.publish(orders)
 * client.observe(orders, { from: 'latest', pausedBy: publisher.full }).subscribe(publisher)
 * await publisher.done
 */
export class TopicPublisher<K, V> extends Subscriber<PublishedRecord<K, V>> {
  /** True while so much waits for the broker that the source should pause. */
  readonly full: Observable<boolean>
  readonly #topic: Topic<K, V>
  readonly #check: (record: OutgoingRecord<K, V>) => void
  readonly #cluster: Cluster
  readonly #producer: Producer
  readonly #full = new BehaviorSubject(false)
  readonly #completion = new Completion()
  /** Published before the partitions of the topic are known, or while the producer is full. */
  #waiting: PublishedRecord<K, V>[] = []
  #sending: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(settings: Settings, topic: Topic<K, V>, check: (record: OutgoingRecord<K, V>) => void) {
    super()
    this.#topic = topic
    this.#check = check
    this.#cluster = clientClusterOf(settings)
    this.#producer = new Producer({ cluster: this.#cluster, ...producerSettingsOf(settings) })
    this.full = this.#full.pipe(distinctUntilChanged())
    this.add(() => void this.#close())
  }

  /** Resolves once everything is written and the connections are closed; rejects with what went wrong. */
  get done(): Promise<void> {
    return this.#completion.promise
  }

  protected override _next(record: PublishedRecord<K, V>): void {
    this.#waiting.push(record)
    if (this.#waiting.length >= mostWaiting) this.#full.next(true)
    this.#sending ??= this.#send()
  }

  protected override _error(error: unknown): void {
    this.#failure ??= { error }
    this.unsubscribe()
  }

  protected override _complete(): void {
    this.unsubscribe()
  }

  async #send(): Promise<void> {
    try {
      await this.#producer.prepare([this.#topic.name])
      while (this.#waiting.length > 0) await this.#sendWaiting()
    } catch (error) {
      this.#waiting = []
      this.#failure ??= { error: placed(error, { topic: this.#topic.name }) }
      this.unsubscribe()
    } finally {
      this.#sending = undefined
    }
  }

  async #sendWaiting(): Promise<void> {
    const records = this.#waiting
    this.#waiting = []
    for (const record of records) {
      this.#sendOne(record)
      if (!this.#producer.isFull) continue
      this.#full.next(true)
      await this.#producer.drained()
    }
    await this.#producer.flush()
    if (this.#waiting.length < mostWaiting) this.#full.next(false)
  }

  #sendOne(record: PublishedRecord<K, V>): void {
    // A null needs no serializer.
    const serdes = this.#topic as unknown as SinkTopic<NonNullable<K>, NonNullable<V>>
    this.#producer.sendRecord<K | null, V | null>(this.#topic.name, serdes, this.#recordOf(record))
  }

  #recordOf(record: PublishedRecord<K, V>): StreamRecord<K | null, V | null> {
    if (record instanceof StreamRecord) return record
    this.#check(record)
    const { key, value, timestamp = systemClock.now(), headers } = record
    return StreamRecord.of(key, value, timestamp, headers)
  }

  async #close(): Promise<void> {
    await this.#sending
    this.#full.complete()
    this.#producer.close()
    await this.#cluster.transport.close()
    if (this.#failure === undefined) this.#completion.resolve()
    else this.#fail(this.#failure.error)
  }

  #fail(error: unknown): void {
    if (!this.#completion.isWatched) {
      const fields = isFault(error) ? fieldsOf(error) : {}
      const place = { application: 'publish', topic: this.#topic.name, ...fields }
      standardErrorLogger().error(place, `publishing to ${this.#topic.name} has failed: ${messageOf(error)}`)
      process.exitCode ||= 1
    }
    this.#completion.reject(error)
  }
}

/** Records that may wait before the source is asked to pause. */
const mostWaiting = 1_000
