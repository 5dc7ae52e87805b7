import { ManualClock } from '../../src/base/manual-clock.ts'
import { openMemoryStore } from '../../src/state/open-memory-store.ts'
import type { Blocked, DropReason, TaskFailure, TaskHost } from '../../src/task/ports.ts'
import type { FailureDecision } from '../../src/task/task.ts'
import { Task } from '../../src/task/task.ts'
import type { Headers, Topic, Topology } from '../../src/index.ts'
import type { RecordRow } from '../../src/topic/record-columns.ts'
import { columnsOf } from '../../src/topic/record-columns.ts'
import type { AnyRecord } from '../../src/topology/node.ts'
import type { SubTopology } from '../../src/topology/sub-topologies.ts'
import { subTopologiesOf } from '../../src/topology/sub-topologies.ts'

/** What a record is written with, where it is not left to the task. */
export interface Written {
  readonly timestamp?: number
  readonly headers?: Headers
}

export interface LoneTaskOptions {
  /** As the setting of that name, where it is true. */
  readonly freezeState?: boolean
  /** Fails the task unless given. */
  readonly onFailure?: (failure: TaskFailure) => FailureDecision
}

/**
 * One task of the first sub-topology, without a driver around it: a test says when it processes, commits and restarts,
 * and sees what it asks of its host.
 */
export class LoneTask {
  readonly clock: ManualClock = new ManualClock()
  readonly sent: { readonly topic: string; readonly record: AnyRecord }[] = []
  readonly dropped: DropReason[] = []
  readonly blocked: Blocked[] = []
  workReadyCalls = 0
  task: Task
  readonly #topology: Topology
  readonly #options: LoneTaskOptions
  readonly #changelogs = new Map<string, RecordRow[]>()
  readonly #offsets = new Map<string, number>()

  constructor(topology: Topology, options: LoneTaskOptions = {}) {
    this.#topology = topology
    this.#options = options
    this.task = this.#open()
  }

  /** Hands a record to the task's queue. */
  push<K, V>(
    topic: Topic<K, V>,
    key: NonNullable<K> | null,
    value: NonNullable<V> | null,
    written: Written = {},
  ): void {
    const offset = this.#offsets.get(topic.name) ?? 0
    this.#offsets.set(topic.name, offset + 1)
    this.task.push(
      topic.name,
      columnsOf([
        {
          key: key === null ? null : topic.key.serialize(key),
          value: value === null ? null : topic.value.serialize(value),
          timestamp: written.timestamp ?? 0,
          headers: written.headers ?? [],
          offset,
        },
      ]),
    )
  }

  /** The same, processed and committed. */
  pipe<K, V>(
    topic: Topic<K, V>,
    key: NonNullable<K> | null,
    value: NonNullable<V> | null,
    written: Written = {},
  ): void {
    this.push(topic, key, value, written)
    this.task.process(Infinity)
    this.task.prepareCommit()
  }

  /** The task goes away without a word; another takes its place with what the changelogs hold. */
  restart(): void {
    this.task = this.#open()
    for (const [store, rows] of this.#changelogs) this.task.stores.get(store)?.restore(columnsOf(rows))
  }

  /** The values sent since the last look. */
  values(): unknown[] {
    return this.sent.splice(0).map(({ record }) => record.value)
  }

  #open(): Task {
    const { freezeState = false, onFailure } = this.#options
    const host: TaskHost = {
      applicationId: this.#topology.name,
      clock: this.clock,
      output: { send: (topic, _target, record) => void this.sent.push({ topic, record }) },
      openStore: (definition, log) => openMemoryStore(definition, log, { frozen: freezeState }),
      freezeState,
      globalStore: (name) => {
        throw new Error(`a lone task has no global store '${name}'`)
      },
      changelog: {
        append: (store, key, value, timestamp, headers = []) => {
          const rows = this.#changelogs.get(store) ?? []
          rows.push({ key, value, timestamp, headers })
          this.#changelogs.set(store, rows)
        },
      },
      dropped: (reason) => void this.dropped.push(reason),
      requestCommit: () => {},
      blocked: (event) => void this.blocked.push(event),
      workReady: () => void this.workReadyCalls++,
    }
    return new Task({
      topology: this.#topology,
      subTopology: subTopologiesOf(this.#topology)[0] as SubTopology,
      partition: 0,
      host,
      ...(onFailure === undefined ? {} : { onFailure }),
    })
  }
}
