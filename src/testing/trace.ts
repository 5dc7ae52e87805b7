import { withContents } from '../base/record-contents.ts'
import type { RecordOrigin, StreamRecord } from '../topic/record.ts'
import type { DropReason, TaskFailure, Watcher } from '../task/ports.ts'

/**
 * What became of records, as a tree: a record in a topic is taken up by nodes, which emit to other nodes and write to
 * topics, where it is taken up again.
 */
export type TracedEvent =
  | Emission
  | TracedWrite
  | { readonly kind: 'stored'; readonly store: string; readonly key: unknown; readonly value: unknown }
  | { readonly kind: 'dropped'; readonly reason: DropReason }
  | { readonly kind: 'failed'; readonly message: string }

/** A record handed to the nodes that follow. */
export interface Emission {
  readonly kind: 'emitted'
  readonly record: StreamRecord<unknown, unknown>
  readonly steps: TracedStep[]
}

/** A record written to a topic, by a test or by a node, and who took it up there. */
export interface TracedWrite extends RecordOrigin {
  readonly kind: 'written'
  readonly record: { readonly key: unknown; readonly value: unknown; readonly timestamp: number }
  readonly steps: TracedStep[]
}

/** One node that had a record in hand. */
export interface TracedStep {
  readonly kind: 'step'
  readonly topology: string
  readonly task: string
  readonly node: string
  /** As the node took it up; undefined in a later turn, where it took up none. */
  readonly record: StreamRecord<unknown, unknown> | undefined
  /** True where it left outside the record's own processing: buffered until a commit, a timer, the end of asynchronous work. */
  readonly later: boolean
  readonly events: TracedEvent[]
}

export type TraceRoot = TracedWrite | TracedStep

/** Where a step happens. */
export interface TracePlace {
  readonly topology: string
  readonly task: string
}

/** Records what happens while an explanation runs; all tasks of a driver share it, as one runs at a time. */
export class Trace {
  #roots: TraceRoot[] | undefined
  readonly #stack: (TracedStep | Emission)[] = []
  readonly #written = new Map<string, TracedWrite>()
  readonly #steps: TracedStep[] = []

  start(): void {
    this.#roots = []
  }

  /** The end of the record; what it recorded. */
  finish(): readonly TraceRoot[] {
    const roots = this.#roots ?? []
    this.#roots = undefined
    this.#stack.length = 0
    this.#steps.length = 0
    this.#written.clear()
    return roots
  }

  watcherFor(place: TracePlace): Watcher {
    return {
      enters: (node, record) => {
        if (this.#roots !== undefined) this.#stack.push(this.#attach(place, node, record, false))
      },
      left: () => void this.#stack.pop(),
      emits: (node, record) => {
        if (this.#roots !== undefined)
          this.#stack.push(this.#emission(this.#stepOf(place, node, record), record))
      },
      emitted: () => {
        this.#stack.pop()
        const top = this.#stack.at(-1)
        if (top !== undefined && this.#passing.delete(top)) this.#stack.pop()
      },
    }
  }

  /** A record was written to a topic; the nodes that read it are shown below it. */
  wrote(origin: RecordOrigin, record: TracedWrite['record']): void {
    if (this.#roots === undefined) return
    const { topic, partition, offset } = origin
    const write: TracedWrite = { kind: 'written', topic, partition, offset, record, steps: [] }
    this.#written.set(placeOf(origin), write)
    const step = this.#step()
    if (step === undefined) this.#roots.push(write)
    else step.events.push(write)
  }

  stored(store: string, key: unknown, value: unknown): void {
    this.#step()?.events.push({ kind: 'stored', store, key, value })
  }

  dropped(
    place: TracePlace,
    reason: DropReason,
    node: string,
    record: StreamRecord<unknown, unknown> | undefined,
  ): void {
    if (this.#roots === undefined) return
    const top = this.#step()
    const step = top?.node === node ? top : this.#attach(place, node, record, false)
    step.events.push({ kind: 'dropped', reason })
  }

  failed(
    { topology, task }: TracePlace,
    failure: TaskFailure,
    record: StreamRecord<unknown, unknown> | undefined,
  ): void {
    if (this.#roots === undefined) return
    const node = failure.fault.place.node ?? failure.node
    const known = this.#steps.findLast((step) => step.node === node && step.topology === topology)
    const step = known ?? this.#attach({ topology, task }, node, record, false)
    step.events.push({ kind: 'failed', message: withContents(failure.fault.message, failure.fault.contents) })
  }

  /** Steps that last as long as one emission: branches, and emissions outside of a record's processing. */
  readonly #passing = new Set<TracedStep | Emission>()

  #stepOf(place: TracePlace, node: string, record: StreamRecord<unknown, unknown>): TracedStep {
    const top = this.#step()
    if (top?.node === node && top.topology === place.topology) return top
    const step = this.#attach(place, node, record, this.#stack.length === 0)
    this.#stack.push(step)
    this.#passing.add(step)
    return step
  }

  #emission(step: TracedStep, record: StreamRecord<unknown, unknown>): Emission {
    const emission: Emission = { kind: 'emitted', record, steps: [] }
    step.events.push(emission)
    return emission
  }

  #attach(
    { topology, task }: TracePlace,
    node: string,
    record: StreamRecord<unknown, unknown> | undefined,
    later: boolean,
  ): TracedStep {
    const taken = later ? undefined : record
    const step: TracedStep = { kind: 'step', topology, task, node, record: taken, later, events: [] }
    this.#steps.push(step)
    const top = this.#stack.at(-1)
    const origin = record?.origin
    if (top === undefined) {
      const cause = origin === undefined ? undefined : this.#written.get(placeOf(origin))
      ;(cause?.steps ?? (this.#roots as TraceRoot[])).push(step)
    } else if (top.kind === 'emitted') top.steps.push(step)
    else this.#emission(top, record ?? (top.record as StreamRecord<unknown, unknown>)).steps.push(step)
    return step
  }

  #step(): TracedStep | undefined {
    const top = this.#stack.at(-1)
    return top?.kind === 'step' ? top : undefined
  }
}

const placeOf = ({ topic, partition, offset }: RecordOrigin): string => `${topic}-${partition}@${offset}`
