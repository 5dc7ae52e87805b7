import { assert } from '../base/assert.ts'
import { smallestOf } from '../base/extremes.ts'
import type { Bytes } from '../base/bytes.ts'
import { Fault, messageOf } from '../base/fault.ts'
import { quoted } from '../base/printable.ts'
import type { Headers } from '../topic/headers.ts'
import { noHeaders } from '../topic/headers.ts'
import type { KeyValueRecord } from '../topic/record.ts'
import type { Serializer } from '../topic/serde.ts'
import { serialized } from '../topic/serde.ts'
import type { Processor, SagaProcessorContext, Supplier } from '../topology/processor.ts'
import { commandHeaders } from './command-headers.ts'
import { toStored } from './stored-value.ts'
import type { Saga } from './saga.ts'
import type { SagaMessage, SagaState } from './state.ts'
import type { MessageResult } from './process-message.ts'
import { processMessage } from './process-message.ts'
import { Timers } from './timers.ts'
import { withCommandTopics, withKnownSteps } from './known-steps.ts'

/** What the sources of a saga hand it: the topic says whether it is the start or which reply. */
export interface SagaInput {
  readonly topic: string
  readonly value: unknown
}

/** As much of a key-value store as a saga needs. */
interface SagaStore {
  get(sagaId: string): SagaState | null
  put(sagaId: string, state: SagaState | null, timestamp: number): void
  all(): IterableIterator<readonly [string, SagaState]>
}

export interface SagaProcessorOptions {
  readonly store: string
  /** How often the clock is looked at. */
  readonly timerIntervalMs: number
  /** The sink of each topic the saga writes to. */
  readonly sinkOf: (topic: string) => string
  /** The serde of each topic the saga writes to. */
  readonly serializerOf: (topic: string) => Serializer<never>
}

/**
 * The one stateful processor that a saga is compiled to. It fetches the state, processes the message and writes what goes
 * out as bytes, and only then stores the new state: a message that fails, or whose command breaks its contract, leaves
 * nothing behind.
 */
export const sagaProcessor =
  (saga: Saga, options: SagaProcessorOptions): Supplier<string, SagaInput, string, Bytes> =>
  (context) =>
    new SagaProcessor(saga, options, context as SagaProcessorContext)

/** A result whose outgoing messages are serialized. */
interface ReadyResult extends MessageResult {
  readonly bytes: readonly Bytes[]
}

class SagaProcessor implements Processor<string, SagaInput> {
  readonly #saga: Saga
  readonly #options: SagaProcessorOptions
  readonly #context: SagaProcessorContext
  readonly #store: SagaStore
  #timers: Timers | undefined

  constructor(saga: Saga, options: SagaProcessorOptions, context: SagaProcessorContext) {
    this.#saga = saga
    this.#options = options
    this.#context = context
    this.#store = context.store<SagaStore>(options.store)
    context.schedule(options.timerIntervalMs, 'wallClock', (nowMs) => this.#time(nowMs))
  }

  process({
    key: sagaId,
    value: { topic, value },
    timestamp,
    headers,
  }: KeyValueRecord<string, SagaInput>): void {
    const state = withKnownSteps(this.#saga, this.#store.get(sagaId))
    const atMs = this.#context.currentSystemTimeMs()
    const isStart = topic === this.#saga.startedBy.name
    if (state === null && !isStart) return this.#missing(sagaId, topic)
    const message = isStart ? this.#start(sagaId, value, atMs) : this.#reply(topic, value, atMs)
    this.#save(sagaId, this.#ready(processMessage(this.#saga, state, message)), timestamp, headers)
  }

  #start(sagaId: string, value: unknown, atMs: number): SagaMessage {
    return { type: 'start', sagaId, start: toStored(this.#saga.startedBy.value, value), atMs }
  }

  #reply(topic: string, value: unknown, atMs: number): SagaMessage {
    const serde = this.#saga.repliesByTopic.get(topic)?.reply.topic.value
    assert(serde !== undefined, `saga '${this.#saga.name}' reads no topic '${topic}'`)
    return { type: 'reply', topic, value, stored: toStored(serde, value), atMs }
  }

  #missing(sagaId: string, topic: string): void {
    if (this.#saga.whenMissing === 'fail') throw sagaMissing(this.#saga.name, sagaId, topic)
  }

  /** Processes each due saga by itself: one whose command can't be built is stuck, and holds up no other. */
  #time(nowMs: number): void {
    for (const sagaId of this.#dueTimers().take(nowMs)) {
      const state = withKnownSteps(this.#saga, this.#store.get(sagaId))
      if (state !== null) this.#save(sagaId, this.#readyOrStuck(state, nowMs), nowMs, noHeaders)
    }
  }

  #readyOrStuck(state: SagaState, atMs: number): ReadyResult {
    try {
      return this.#ready(processMessage(this.#saga, state, { type: 'time', atMs }))
    } catch (error) {
      this.#context.countStuck()
      return this.#ready(processMessage(this.#saga, state, { type: 'fault', reason: messageOf(error), atMs }))
    }
  }

  #ready(result: MessageResult): ReadyResult {
    const { serializerOf } = this.#options
    const bytes = result.outgoing.map(({ topic, value }) =>
      serialized(serializerOf(topic), value as never, 'value', topic),
    )
    return { ...result, bytes }
  }

  #save(
    sagaId: string,
    { state, events, outgoing, bytes }: ReadyResult,
    timestamp: number,
    cause: Headers,
  ): void {
    if (events.length === 0) return
    this.#store.put(sagaId, state === null ? null : withCommandTopics(this.#saga, state), timestamp)
    this.#dueTimers().set(sagaId, nextDueMs(state))
    outgoing.forEach((each, index) => {
      const headers = commandHeaders(this.#saga.name, sagaId, each, cause)
      const value = bytes[index] as Bytes
      this.#context.forward({ key: sagaId, value, timestamp, headers }, this.#options.sinkOf(each.topic))
    })
  }

  /** Made when first asked for, as the store is restored only after this processor was made. */
  #dueTimers(): Timers {
    if (this.#timers === undefined) {
      const timers = new Timers()
      for (const [sagaId, state] of this.#store.all()) {
        timers.set(sagaId, nextDueMs(withKnownSteps(this.#saga, state)))
      }
      this.#timers = timers
    }
    return this.#timers
  }
}

const nextDueMs = (state: SagaState | null): number | null => {
  const due = (state?.steps ?? []).flatMap(({ dueMs }) => (dueMs === null ? [] : [dueMs]))
  return due.length === 0 ? null : smallestOf(due)
}

const sagaMissing = (saga: string, sagaId: string, topic: string): Fault =>
  new Fault({
    code: 'SAGA_MISSING',
    actor: 'record',
    message: `there is no saga of '${saga}' that this reply could belong to`,
    remedy: "find out who sent it, or say whenMissing: 'ignore' where such replies are expected",
    place: { topic },
    contents: { sagaId: quoted(sagaId) },
  })
