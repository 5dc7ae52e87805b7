import { filter, firstValueFrom, Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import { systemClock } from '../../base/system-clock.ts'
import { TimeSlice } from '../../base/time-slice.ts'
import type { StreamRecord } from '../../topic/record.ts'
import type { Settings } from '../settings.ts'
import type { ObserveOptions } from './observe-options.ts'
import type { ObservedContract } from './topic-reader.ts'
import { TopicReader } from './topic-reader.ts'

/**
 * The records of a topic outside a topology, as an Observable that is cold: each subscription reads with connections of
 * its own, and closes them when it ends. The records of a partition keep their order.
 *
 * A subscription emits for at most `maxPollDurationMs` before the event loop runs, and fetches ahead at most
 * `inputBufferMaxBytes`. RxJS has no way to ask for less: what works asynchronously on each record takes the records
 * from `for await` instead, which fetches more only when they are taken, or pauses the subscription (`pausedBy`).
 *
 * A record that the topic's serdes cannot read ends the Observable with a `Fault` that names topic, partition and offset.
 *
 * @example
 * const client = connect({ bootstrapServers: 'localhost:9092' })
 * client.observe(orders, { from: 'beginning', until: 'end' }).subscribe(({ key, value }) => console.log(key, value))
 * for await (const { value } of client.observe(orders, { from: 'latest' })) console.log(value)
 */
export class ObservedTopic<K, V>
  extends Observable<StreamRecord<K, V>>
  implements AsyncIterable<StreamRecord<K, V>>
{
  readonly #open: () => TopicReader<K, V>
  readonly #options: ObserveOptions

  constructor(settings: Settings, topic: ObservedContract<K, V>, options: ObserveOptions) {
    const open = (): TopicReader<K, V> => new TopicReader(settings, topic, options)
    super((subscriber) => {
      const reader = open()
      const slice = new TimeSlice(systemClock, settings.maxPollDurationMs)
      emit(reader, slice, options.pausedBy, subscriber).then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      )
      return () => void reader.close()
    })
    this.#open = open
    this.#options = options
  }

  /** Reads as fast as the records are taken. Leaving the loop closes the connections. */
  async *[Symbol.asyncIterator](): AsyncGenerator<StreamRecord<K, V>, void> {
    const reader = this.#open()
    const { pausedBy } = this.#options
    try {
      for await (const records of reader.batches())
        for (const record of records) {
          if (pausedBy !== undefined) await resumed(pausedBy)
          yield record
        }
    } finally {
      await reader.close()
    }
  }
}

const emit = async <K, V>(
  reader: TopicReader<K, V>,
  slice: TimeSlice,
  pausedBy: Observable<boolean> | undefined,
  subscriber: Subscriber<StreamRecord<K, V>>,
): Promise<void> => {
  let isPaused = false
  subscriber.add(
    pausedBy?.subscribe({ next: (value) => (isPaused = value), error: (error) => subscriber.error(error) }),
  )
  for await (const records of reader.batches()) {
    for (const record of records) {
      if (isPaused && pausedBy !== undefined) await Promise.race([resumed(pausedBy), ended(subscriber)])
      if (subscriber.closed) return
      subscriber.next(record)
      if (slice.check()) await slice.next()
    }
    await slice.next()
  }
}

/** Resolves with the first value that is false, or where nothing can pause any more. */
const resumed = (pausedBy: Observable<boolean>): Promise<unknown> =>
  firstValueFrom(pausedBy.pipe(filter((isPaused) => !isPaused)), { defaultValue: false })

const ended = (subscriber: Subscriber<unknown>): Promise<void> =>
  new Promise((resolve) => {
    subscriber.add(resolve)
  })
