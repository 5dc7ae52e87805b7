import { systemClock } from '../../../src/base/system-clock.ts'
import { Admin } from '../../../src/kafka/admin.ts'
import { Cluster } from '../../../src/kafka/cluster.ts'
import type { FetchedBatch } from '../../../src/kafka/fetch/fetched-batch.ts'
import { Fetcher } from '../../../src/kafka/fetcher.ts'
import type { IsolationLevel } from '../../../src/kafka/list-offsets.ts'
import { TcpTransport } from '../../../src/kafka/connection/tcp-transport.ts'
import { partitionName } from '../../../src/kafka/topic-partition.ts'
import type { Copy, Count } from './outcome.ts'
import { expectedCounts } from './outcome.ts'
import { copies, counts } from './topology.ts'

/**
 * Reads along with a run: committed records only, as a service behind the application would, unless it is told to read
 * what is not final too.
 */
export class OutcomeReader {
  readonly copies: Copy[] = []
  readonly counts: Count[] = []
  readonly #copied = new Set<number>()
  readonly #latest = new Map<string, number>()
  readonly #positions = new Map<string, number>()
  readonly #transport: TcpTransport
  readonly #cluster: Cluster
  readonly #fetcher: Fetcher
  readonly #places = [copies, counts].flatMap(({ name, partitions = 1 }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  )
  #isClosed = false
  #running: Promise<void> | undefined

  constructor(brokers: string, isolation: IsolationLevel = 'read_committed') {
    this.#transport = new TcpTransport({ brokers, clientId: 'chaos-reader' })
    this.#cluster = new Cluster({ transport: this.#transport, clock: systemClock })
    this.#fetcher = new Fetcher({
      cluster: this.#cluster,
      isolation,
      missingTimeoutMs: 120_000,
    })
  }

  start(): void {
    this.#fetcher.assign(this.#places.map((each) => ({ ...each, offset: 0 })))
    this.#running ??= this.#run()
    this.#running.catch(() => undefined)
  }

  /** Resolves once each event is copied and each word is counted to the end; rejects with what still lacks. */
  async until(words: readonly string[], timeoutMs: number): Promise<void> {
    const expected = expectedCounts(words)
    const deadlineMs = Date.now() + timeoutMs
    for (;;) {
      const lacking = Array.from(expected).filter(([word, count]) => (this.#latest.get(word) ?? 0) < count)
      if (this.#copied.size >= words.length && lacking.length === 0) return
      if (Date.now() > deadlineMs)
        throw new Error(
          `after ${timeoutMs} ms ${this.#copied.size} of ${words.length} events are copied, and these words are not counted: ${lacking
            .slice(0, 5)
            .map(([word, count]) => `${word} up to ${this.#latest.get(word) ?? 0} of ${count}`)
            .join(', ')}`,
        )
      await this.#pause()
    }
  }

  /** Resolves once all that is in the topics, finally, is read. */
  async toTheEnd(timeoutMs: number): Promise<void> {
    const ends = await new Admin(this.#cluster).listOffsets(
      this.#places.map((each) => ({ ...each, at: 'latest' as const })),
    )
    const deadlineMs = Date.now() + timeoutMs
    const isThere = (): boolean =>
      [...ends].every(([place, { offset }]) => (this.#positions.get(place) ?? 0) >= offset)
    while (!isThere()) {
      if (Date.now() > deadlineMs)
        throw new Error(`the end of the output could not be read in ${timeoutMs} ms: a transaction is open`)
      await this.#pause()
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#fetcher.close()
    await this.#running
    await this.#transport.close()
  }

  async #pause(): Promise<void> {
    await Promise.race([this.#running, new Promise((resolve) => setTimeout(resolve, 50))])
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) for (const batch of await this.#fetcher.poll(500)) this.#take(batch)
  }

  #take({ topic, partition, columns, nextOffset }: FetchedBatch): void {
    this.#positions.set(partitionName(topic, partition), nextOffset)
    const { buffer, keyStarts, keyEnds, valueStarts, valueEnds, timestamps } = columns
    const text = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    for (let row = 0; row < columns.count; row++) {
      const key = text.toString('utf8', keyStarts[row], keyEnds[row])
      const value = text.toString('utf8', valueStarts[row], valueEnds[row]).split(' ')
      const appendedMs = timestamps[row] as number
      if (topic === copies.name) this.#takeCopy(key, value, partition, appendedMs)
      else this.#takeCount(key, value, partition, appendedMs)
    }
  }

  #takeCopy(key: string, value: readonly string[], partition: number, appendedMs: number): void {
    const [word = '', writtenMs, pid] = value
    const event = Number(key.slice(1))
    this.#copied.add(event)
    this.copies.push({ event, word, pid: Number(pid), partition, writtenMs: Number(writtenMs), appendedMs })
  }

  #takeCount(word: string, [count, pid]: readonly string[], partition: number, appendedMs: number): void {
    this.#latest.set(word, Number(count))
    this.counts.push({ word, count: Number(count), pid: Number(pid), partition, appendedMs })
  }
}
