import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AssertionFailed } from '../../src/base/assert.ts'
import { utf8Encode } from '../../src/base/bytes.ts'
import { systemClock } from '../../src/base/system-clock.ts'
import { openLmdbStores } from '../../src/state/open-lmdb-stores.ts'
import { openMemoryStore } from '../../src/state/open-memory-store.ts'
import type { Output, TaskHost } from '../../src/task/ports.ts'
import { Task } from '../../src/task/task.ts'
import type { RecordColumns, RecordRow } from '../../src/topic/record-columns.ts'
import { columnsOf } from '../../src/topic/record-columns.ts'
import { keyBytesOf, valueBytesOf } from '../../src/topic/record.ts'
import type { Serializer } from '../../src/topic/serde.ts'
import { subTopologiesOf } from '../../src/topology/sub-topologies.ts'
import type { Topology } from '../../src/topology/topology.ts'
import type { InputRecord } from './operators.ts'

export type Storage = 'memory' | 'disk'

/** One fetched response's worth of records, by topic. */
export type Batch = ReadonlyMap<string, RecordColumns>

const recordsPerBatch = 7_000

/** The input as a fetcher would hand it over: columns over one buffer, about a megabyte at a time. */
export const batchesOf = (count: number, recordAt: (index: number) => InputRecord): readonly Batch[] => {
  const batches: Batch[] = []
  for (let from = 0; from < count; from += recordsPerBatch) {
    const rows = new Map<string, RecordRow[]>()
    for (let index = from; index < Math.min(from + recordsPerBatch, count); index++) {
      const { topic, key, value, timestamp } = recordAt(index)
      const row = { key: utf8Encode(key), value: utf8Encode(value), timestamp, offset: index }
      const known = rows.get(topic)
      if (known === undefined) rows.set(topic, [row])
      else known.push(row)
    }
    batches.push(new Map(Array.from(rows, ([topic, each]) => [topic, columnsOf(each)])))
  }
  return batches
}

/**
 * All sub-topologies of a topology as tasks of one partition, on nothing but themselves: what they write is serialised
 * and counted, and what goes to an internal topic reaches the task that reads it. A commit follows every batch.
 */
export class Drive implements Disposable {
  written = 0
  changes = 0
  readonly #tasks: readonly Task[]
  readonly #internal = new Map<string, RecordRow[]>()
  readonly #internalTopics: ReadonlySet<string>
  readonly #directory: string | undefined

  constructor(topology: Topology, storage: Storage) {
    const subTopologies = subTopologiesOf(topology)
    this.#internalTopics = new Set(
      subTopologies.flatMap(({ reads }) => reads.map((node) => `${topology.name}-${node.topic}`)),
    )
    this.#directory = storage === 'disk' ? mkdtempSync(join(tmpdir(), 'millrace-bench-')) : undefined
    this.#tasks = subTopologies.map(
      (subTopology) =>
        new Task({ topology, subTopology, partition: 0, host: this.#host(topology.name, subTopology.index) }),
    )
  }

  get stores(): number {
    return this.#tasks.reduce((sum, { stores }) => sum + stores.size, 0)
  }

  process(batch: Batch): void {
    for (const [topic, columns] of batch) this.#push(topic, columns)
    for (;;) {
      for (const task of this.#tasks) task.process(Infinity)
      if (this.#internal.size === 0) break
      const internal = [...this.#internal]
      this.#internal.clear()
      for (const [topic, rows] of internal) this.#push(topic, columnsOf(rows))
    }
    this.#commit()
  }

  [Symbol.dispose](): void {
    for (const task of this.#tasks) task.close()
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true })
  }

  #commit(): void {
    for (const task of this.#tasks) {
      task.prepareCommit()
      for (const store of task.stores.values()) store.persist(this.changes)
    }
  }

  #push(topic: string, columns: RecordColumns): void {
    for (const task of this.#tasks) if (task.queue(topic) !== undefined) task.push(topic, columns)
  }

  #host(applicationId: string, task: number): TaskHost {
    const lmdb =
      this.#directory === undefined
        ? undefined
        : openLmdbStores(join(this.#directory, `${task}_0`), { clock: systemClock })
    return {
      applicationId,
      clock: systemClock,
      output: this.#output,
      openStore: (definition, changelog) =>
        lmdb === undefined ? openMemoryStore(definition, changelog) : lmdb.open(definition, changelog),
      globalStore: (name) => {
        throw new AssertionFailed(`no global store '${name}'`)
      },
      changelog: {
        append: () => {
          this.changes++
        },
      },
      dropped: () => {},
      requestCommit: () => {},
    }
  }

  readonly #output: Output = {
    send: (topic, target, record) => {
      const key = keyBytesOf(record, target.key as Serializer<unknown>)
      const value = valueBytesOf(record, target.value as Serializer<unknown>)
      this.written++
      if (!this.#internalTopics.has(topic)) return
      const { timestamp, headers } = record
      const rows = this.#internal.get(topic)
      if (rows === undefined) this.#internal.set(topic, [{ key, value, timestamp, headers }])
      else rows.push({ key, value, timestamp, headers })
    },
  }
}
