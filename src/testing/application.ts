import type { Clock } from '../base/clock.ts'
import { AssertionFailed } from '../base/assert.ts'
import type { ChangelogSink, StateStore } from '../state/store.ts'
import { openMemoryStore } from '../state/open-memory-store.ts'
import type { DropReason, Output, TaskFailure, TaskHost, Watcher } from '../task/ports.ts'
import { applyGlobalRows } from '../task/global-rows.ts'
import type { FailureDecision } from '../task/task.ts'
import type { RecordQueue } from '../task/record-queue.ts'
import { queueSourceOf, Task } from '../task/task.ts'
import { columnsOf } from '../topic/record-columns.ts'
import type { AnyRecord, NodeOf } from '../topology/node.ts'
import { partitionCountsOf } from '../topology/partition-counts.ts'
import type { GlobalTable, SubTopology } from '../topology/sub-topologies.ts'
import { globalTablesOf, subTopologiesOf } from '../topology/sub-topologies.ts'
import type { Topology } from '../topology/topology.ts'
import { matchesWhole, refuseOwnOutput } from '../topology/validate-patterns.ts'
import type { StoredRecord } from './memory-topics.ts'

/** What an application of the test needs of the world around it. */
export interface Surroundings {
  readonly clock: Clock
  readonly output: Output
  readonly changelog: (topic: string, partition: number) => ChangelogSink
  readonly dropped: (task: string, reason: DropReason, node: string, record: AnyRecord | undefined) => void
  readonly partitionsOf: (topic: string) => number
  readonly onFailure: (task: string, failure: TaskFailure, record: AnyRecord | undefined) => FailureDecision
  /** Sees every step of a task. */
  readonly watcherFor: (task: string) => Watcher
  /** A queue that was empty has records. */
  readonly waiting: (task: Task, queue: RecordQueue) => void
  /** A processor asked for a commit. */
  readonly requestCommit: () => void
  readonly idleAdvanceMs: number | undefined
  readonly maxTimestampAheadMs: number | undefined
  readonly maxRequestSize: number | undefined
  readonly withoutRecordCache: boolean
  readonly deadLetterTopic: string | undefined
}

/** One topology under test: all its tasks, over all partitions, in one place. */
export class TestApplication {
  readonly topology: Topology
  readonly tasks: readonly Task[]
  /** Partition counts of its repartition topics, by full name. */
  readonly repartitions: ReadonlyMap<string, number>
  readonly globals: ReadonlyMap<string, StateStore>
  readonly #globalTables: readonly GlobalTable[]
  readonly #dropped: Surroundings['dropped']
  readonly #onFailure: Surroundings['onFailure']
  readonly #waiting: Surroundings['waiting']
  readonly #patterns: readonly { readonly node: NodeOf<'source'>; readonly subTopology: SubTopology }[]

  constructor(topology: Topology, surroundings: Surroundings) {
    refuseOwnOutput(topology, surroundings.deadLetterTopic)
    this.topology = topology
    this.#dropped = surroundings.dropped
    this.#onFailure = surroundings.onFailure
    this.#waiting = surroundings.waiting
    const subTopologies = subTopologiesOf(topology)
    const counts = partitionCountsOf(topology, surroundings.partitionsOf)
    this.repartitions = new Map(
      [...counts.repartitions].map(([topic, count]) => [`${topology.name}-${topic}`, count]),
    )
    this.#globalTables = globalTablesOf(topology)
    this.globals = new Map(
      this.#globalTables.map(({ store }) => [
        store.name,
        openMemoryStore({ ...store, changelog: false }, noChangelog, { frozen: true }),
      ]),
    )
    this.#patterns = subTopologies.flatMap((subTopology) =>
      subTopology.nodes
        .filter((node) => node.kind === 'source' && node.topics instanceof RegExp)
        .map((node) => ({ node: node as NodeOf<'source'>, subTopology })),
    )
    this.tasks = subTopologies.flatMap((subTopology) =>
      Array.from({ length: counts.tasks[subTopology.index] as number }, (_, partition) =>
        this.#task(subTopology, partition, surroundings),
      ),
    )
  }

  /** Hands a record to the task of this application that reads its topic. */
  deliver(topic: string, record: StoredRecord): void {
    const columns = columnsOf([record])
    for (const { source, store } of this.#globalTables) {
      if (source.topic.name !== topic) continue
      if (record.key === null) this.#dropped('global', 'nullKey', source.name, undefined)
      else
        applyGlobalRows(
          this.globals.get(store.name) as StateStore,
          columns,
          { source, partition: record.partition },
          (failure, row) => this.#onFailure('global', failure, row),
        )
    }
    this.#match(topic)
    for (const task of this.tasks) {
      const queue = task.partition === record.partition ? task.queue(topic) : undefined
      if (queue === undefined) continue
      const wasEmpty = queue.size === 0
      task.push(topic, columns)
      if (wasEmpty) this.#waiting(task, queue)
    }
  }

  /** Matches a topic that appears for the first time with the patterns of the topology. */
  #match(topic: string): void {
    for (const { node, subTopology } of this.#patterns) {
      if (!matchesWhole(node.topics as RegExp, topic)) continue
      for (const task of this.tasks)
        if (task.id.startsWith(`${subTopology.index}_`) && task.queue(topic) === undefined)
          task.addTopic(queueSourceOf(node, topic, task.partition))
    }
  }

  #task(subTopology: SubTopology, partition: number, surroundings: Surroundings): Task {
    const { topology, globals } = this
    const id = `${subTopology.index}_${partition}`
    const host: TaskHost = {
      applicationId: topology.name,
      clock: surroundings.clock,
      output: surroundings.output,
      openStore: (definition, log) =>
        openMemoryStore(definition, log, { frozen: true, maxRequestSize: surroundings.maxRequestSize }),
      globalStore: (name) => {
        const store = globals.get(name)
        if (store !== undefined) return store
        throw new AssertionFailed(`no global store '${name}'`)
      },
      changelog: changelogOf(topology, partition, surroundings),
      dropped: (...drop) => surroundings.dropped(id, ...drop),
      requestCommit: surroundings.requestCommit,
      freezeState: true,
      withoutRecordCache: surroundings.withoutRecordCache,
      watcher: surroundings.watcherFor(id),
    }
    const { idleAdvanceMs, maxTimestampAheadMs } = surroundings
    const onFailure = (failure: TaskFailure, record: AnyRecord | undefined): FailureDecision =>
      surroundings.onFailure(id, failure, record)
    return new Task({
      topology,
      subTopology,
      partition,
      host,
      onFailure,
      idleAdvanceMs,
      maxTimestampAheadMs,
    })
  }
}

const changelogOf = (topology: Topology, partition: number, { changelog }: Surroundings): ChangelogSink => ({
  append: (store, key, value, timestamp, headers) =>
    changelog(`${topology.name}-${store}-changelog`, partition).append(store, key, value, timestamp, headers),
})

const noChangelog: ChangelogSink = { append: () => {} }
