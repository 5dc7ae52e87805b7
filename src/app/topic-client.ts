import type { OptionShape, ValueKind } from '../base/options.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import { bytesOrNullKind, checkedByReader, listOf, required, text, wholeNumber } from '../base/value-kinds.ts'
import { topicContract } from '../topic/value-kinds.ts'
import { systemClock } from '../base/system-clock.ts'
import type { Bytes } from '../base/bytes.ts'
import type { Fault } from '../base/fault.ts'
import { Admin } from '../kafka/admin.ts'
import { Producer } from '../kafka/producer.ts'
import { closedFault } from '../kafka/connection/connection-faults.ts'
import type { Topic } from '../topic/topic.ts'
import { clientClusterOf } from './cluster-of.ts'
import type { ObserveOptions } from './observe/observe-options.ts'
import { observeOptions } from './observe/observe-options.ts'
import { ObservedTopic } from './observe/observed-topic.ts'
import type { OutgoingRecord } from './observe/topic-publisher.ts'
import { TopicPublisher } from './observe/topic-publisher.ts'
import type { SettingsInput } from './settings.ts'
import { parseSettings } from './settings.ts'
import { producerSettingsOf } from '../runtime/producer-settings.ts'
import { serialized } from '../topic/serde.ts'

/** What a program does with topics beside its topologies: make them, write to them and read them from outside. */
export interface TopicClient {
  /** Makes topics that do not exist yet; answers the names of those it made. */
  createTopics(
    topics: readonly { readonly name: string; readonly partitions?: number | undefined }[],
  ): Promise<readonly string[]>
  deleteTopics(names: readonly string[]): Promise<void>
  /** Removes a group and its offsets; it must have no members. */
  deleteGroup(groupId: string): Promise<void>
  /** Writes records and waits until the broker has them. */
  write<K, V>(topic: Topic<K, V>, records: readonly OutgoingRecord<K, V>[]): Promise<void>
  /** Writes bytes as they are: what no serde would write. */
  writeBytes(topic: string, records: readonly OutgoingRecord<Bytes, Bytes>[]): Promise<void>
  /**
   * The records of a topic as a cold Observable, and as an async iterable that reads as fast as records are taken. Each
   * subscription has connections of its own, which it closes when it ends; `close` of the client does not end it.
   *
   * @example
   * const client = connect({ bootstrapServers: 'localhost:9092' })
   * client.observe(orders, { from: 'beginning' }).subscribe(({ key, value }) => console.log(key, value))
   */
  observe<K, V>(topic: Topic<K, V>, options: ObserveOptions): ObservedTopic<K, V>
  /**
   * An observer that writes what it gets to a topic, with connections of its own, which it closes when its source ends
   * or is unsubscribed.
   *
   * @example
   * const client = connect({ bootstrapServers: 'localhost:9092' })
   * const publisher = client.publish(orders)
   * client.observe(orders, { from: new Date('2026-11-30'), until: 'end' }).subscribe(publisher)
   * await publisher.done
   */
  publish<K, V>(topic: Topic<K, V>): TopicPublisher<K, V>
  close(): Promise<void>
}

const recordOptions: OptionShape<OutgoingRecord<never, never>> = {
  key: required({ ...checkedByReader, needs: 'a key, or null' }),
  value: required({ ...checkedByReader, needs: 'a value, or null' }),
  timestamp: wholeNumber,
  headers: listOf({ needs: 'a header [name, bytes]', accepts: Array.isArray }),
}

const byteRecordOptions: OptionShape<OutgoingRecord<Bytes, Bytes>> = {
  ...recordOptions,
  key: required(bytesOrNullKind),
  value: required(bytesOrNullKind),
}

const recordsKind: ValueKind = { needs: 'an array of records { key, value }', accepts: Array.isArray }

const checkRecords = <K, V>(
  verb: string,
  topic: string,
  records: readonly OutgoingRecord<K, V>[],
  shape: OptionShape<OutgoingRecord<K, V>>,
): void => {
  checkArgument(verb, records, recordsKind)
  for (const record of records) checkOptions(`a record for topic '${topic}'`, record, shape)
}

const newTopicKind: ValueKind = {
  needs: 'a topic or { name, partitions }',
  accepts: (value) => text.accepts((value as { readonly name?: unknown } | null | undefined)?.name),
}

/** The calls of a client that wait for the broker. `close` rejects them, and every later one. */
class OpenCalls {
  readonly #rejections = new Set<(fault: Fault) => void>()
  #isClosed = false

  run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(closedFault())
    return new Promise((resolve, reject) => {
      this.#rejections.add(reject)
      call()
        .then(resolve, reject)
        .finally(() => this.#rejections.delete(reject))
    })
  }

  close(): void {
    this.#isClosed = true
    for (const reject of this.#rejections) reject(closedFault())
  }
}

/**
 * Connects to a broker.
 *
 * @example
 * const client = connect({ bootstrapServers: 'localhost:9092' })
 * await client.createTopics([orders])
 * await client.write(orders, [{ key: 'order-123', value: order }])
 * await client.close()
 */
export const connect = (input: SettingsInput): TopicClient => {
  const settings = parseSettings(input)
  const cluster = clientClusterOf(settings)
  const admin = new Admin(cluster)
  const producer = new Producer({
    cluster,
    ...producerSettingsOf(settings),
  })
  const send: TopicClient['writeBytes'] = async (topic, records) => {
    await producer.prepare([topic])
    for (const { key, value, timestamp, headers } of records) {
      producer.send(topic, undefined, key, value, timestamp ?? systemClock.now(), headers)
      if (producer.isFull) await producer.drained()
    }
    await producer.flush()
  }
  const open = new OpenCalls()
  return {
    createTopics: async (topics) => {
      checkArgument('createTopics', topics, listOf(newTopicKind))
      const created = topics.map(({ name, partitions }) => ({ topic: name, partitions }))
      return open.run(() => admin.createTopics(created))
    },
    deleteTopics: async (names) => {
      checkArgument('deleteTopics', names, listOf(text))
      await open.run(() => admin.deleteTopics(names))
    },
    deleteGroup: async (groupId) => {
      checkArgument('deleteGroup', groupId, text)
      await open.run(() => admin.deleteGroup(groupId))
    },
    write: async (topic, records) => {
      checkArgument('write', topic, topicContract)
      checkRecords('write', topic.name, records, recordOptions)
      const written = records.map(({ key, value, ...rest }) => ({
        ...rest,
        key: key === null ? null : serialized(topic.key, key as NonNullable<typeof key>, 'key', topic.name),
        value:
          value === null
            ? null
            : serialized(topic.value, value as NonNullable<typeof value>, 'value', topic.name),
      }))
      await open.run(() => send(topic.name, written))
    },
    writeBytes: async (topic, records) => {
      checkArgument('writeBytes', topic, text)
      checkRecords('writeBytes', topic, records, byteRecordOptions)
      await open.run(() => send(topic, records))
    },
    observe: (topic, options) => {
      checkArgument('observe', topic, topicContract)
      checkOptions(`observe topic '${topic.name}'`, options, observeOptions)
      return new ObservedTopic(settings, topic, options)
    },
    publish: (topic) => {
      checkArgument('publish', topic, topicContract)
      return new TopicPublisher(settings, topic, (record) =>
        checkOptions(`a record for topic '${topic.name}'`, record, recordOptions),
      )
    },
    close: async () => {
      open.close()
      producer.close()
      await cluster.transport.close()
    },
  }
}
