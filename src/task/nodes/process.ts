import { Observable } from 'rxjs'
import { Fault, isFault, messageOf } from '../../base/fault.ts'
import { nearest } from '../../base/nearest.ts'
import { checkArgument } from '../../base/options.ts'
import { shown } from '../../base/shown.ts'
import { synchronous } from '../../base/value-kinds.ts'
import type { StateStore } from '../../state/store.ts'
import { StreamRecord } from '../../topic/record.ts'
import {
  changedRecordOf,
  emittedRecordOf,
  optionalResultOf,
  refusePromise,
} from '../../topology/callback-results.ts'
import { emittedTime } from '../../topology/record-times.ts'
import type { AnyRecord, NodeOf } from '../../topology/node.ts'
import type {
  Forwarded,
  Processor,
  ProcessorContext,
  SagaProcessorContext,
} from '../../topology/processor.ts'
import { childrenByParent } from '../../topology/topology.ts'
import type { NodeContext } from '../node-context.ts'
import type { ScheduledPunctuator } from '../punctuation-queue.ts'
import { step } from '../step.ts'
import { Relay } from '../relay.ts'
import { countedRefusals } from './counted-refusals.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'

/**
 * A processor of the author's own (`process`, `processValues`, a saga). Records forwarded to a named child reach only
 * that one, so every child listens to a relay of its own.
 */
export const interpretProcess: Interpreter<'process'> = (node, inputs, context) => {
  const outputs = new Outputs(node, context)
  outputs.offerToChildren()
  const processor = processorOf(node, outputs.context)
  context.onClose.push(() =>
    refusePromise(
      'the close of a processor',
      named(node.name, 'the close', () => processor.close?.()),
    ),
  )
  return new Observable((subscriber) => {
    outputs.all = subscriber
    return step(context, node.name, onlyInput(inputs), (record) => {
      outputs.cause = record
      refusePromise('the processor', processor.process(record))
    }).subscribe()
  })
}

const processorOf = (
  { name, supplier }: NodeOf<'process'>,
  context: ProcessorContext,
): Processor<unknown, unknown> => {
  const supplied = named(name, 'the supplier', () => supplier(context))
  const processor: unknown = optionalResultOf('the supplier of a processor', supplied)
  if (typeof (processor as Partial<Processor<unknown, unknown>> | null | undefined)?.process === 'function')
    return processor as Processor<unknown, unknown>
  throw new Fault({
    code: 'PROCESSOR_INVALID',
    actor: 'author',
    message: `the supplier of '${name}' returned ${shown(processor)}`,
    remedy: 'return an object with a function `process`',
    place: { node: name },
  })
}

/** Runs a function of the author that no record is at fault for; its failure names the node. */
const named = <T>(node: string, what: string, call: () => T): T => {
  try {
    return call()
  } catch (cause) {
    if (isFault(cause)) throw cause
    throw new Fault({
      code: 'PROCESSOR_FAILED',
      actor: 'author',
      message: `${what} of '${node}' has failed: ${messageOf(cause)}`,
      place: { node },
      cause,
    })
  }
}

const maker = 'the processor forwarded'

/** What of a node its context needs to know. */
type Author = Pick<NodeOf<'process'>, 'name' | 'stores'> & { readonly verb: string }

/** Where a processor's records go, and what it may ask for. */
export class Outputs {
  readonly context: ProcessorContext
  all: { next(record: AnyRecord): void } = { next: () => {} }
  cause: AnyRecord | undefined
  readonly #node: Author
  readonly #task: NodeContext

  constructor(node: Author, task: NodeContext) {
    this.#node = node
    this.#task = task
    this.context = this.#contextFor()
  }

  /** Lets every child be reached by name, beside the output common to all. */
  offerToChildren(): void {
    const { name } = this.#node
    for (const child of childrenByParent(this.#task.topology.nodes).get(name) ?? [])
      this.#task.branches.set(outputKey(name, child.name), new Relay())
  }

  #contextFor(): ProcessorContext & Pick<SagaProcessorContext, 'countStuck'> {
    const task = this.#task
    return {
      taskId: task.taskId,
      applicationId: task.host.applicationId,
      get origin() {
        return task.origin
      },
      forward: (record, child) => this.#forward(record, child),
      store: (name) => this.#store(name),
      schedule: (intervalMs, type, callback) => this.#schedule(intervalMs, type, callback),
      countStuck: () => task.drop('sagaStuck', this.#node.name, undefined),
      commit: () => task.host.requestCommit(),
      currentStreamTimeMs: () => task.streamTimeMs,
      currentSystemTimeMs: () => task.host.clock.now(),
    }
  }

  #forward(emission: Forwarded<unknown, unknown>, child: string | undefined): void {
    if (!this.#task.inTurn) {
      this.#task.failOutsideTurn(this.#node.name, forwardOutsideTurn(this.#node.name))
      return
    }
    const record = this.#recordOf(emission)
    if (child === undefined) this.all.next(record)
    else this.#childNamed(child).next(record)
  }

  #recordOf(emission: Forwarded<unknown, unknown>): AnyRecord {
    const { cause } = this
    const keepsKey = this.#node.verb === 'processValues'
    if (keepsKey && cause === undefined) throw forwardWithoutKey(this.#node.name)
    if (emission instanceof StreamRecord) {
      const timed = changedRecordOf(maker, emission).withTimestamp(emittedTime(emission.timestamp))
      return keepsKey && cause !== undefined ? timed.withKey(cause.key) : timed
    }
    const { value, timestamp, headers } = emittedRecordOf(maker, emission, !keepsKey)
    const key = keepsKey ? cause?.key : emission.key
    const time =
      timestamp === undefined ? (cause?.timestamp ?? this.#timeWithoutCause()) : emittedTime(timestamp)
    return StreamRecord.of(key, value, time, headers ?? cause?.headers, cause?.origin)
  }

  /** Stream time; before the first record, when there is none, the time of the clock. */
  #timeWithoutCause(): number {
    const { streamTimeMs, host } = this.#task
    return streamTimeMs < 0 ? host.clock.now() : streamTimeMs
  }

  #childNamed(child: string): Relay {
    const output = this.#task.branches.get(outputKey(this.#node.name, child))
    if (output !== undefined) return output as Relay
    throw new Fault({
      code: 'CHILD_UNKNOWN',
      actor: 'author',
      message: `'${this.#node.name}' forwards to '${child}', which is none of its children`,
      remedy: 'name a step that follows it, or none to reach all of them',
      place: { node: this.#node.name },
    })
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- only the author knows which kind of store it is
  #store<S>(name: string): S {
    if (this.#node.stores.includes(name) || this.#isGlobal(name)) return this.#counted(name) as S
    throw new Fault({
      code: 'STORE_NOT_CONNECTED',
      actor: 'author',
      message: `'${this.#node.name}' asks for store '${name}', which is not connected to it`,
      remedy: 'name the store in the `stores` of this step',
      place: { node: this.#node.name, store: name },
    })
  }

  #counted(name: string): StateStore {
    const store = this.#task.store<StateStore>(name)
    const kind = this.#task.topology.stores.find((each) => each.name === name)?.kind
    if (kind === 'keyValue') return store
    return countedRefusals(store, () => this.#task.drop('expired', this.#node.name, this.cause))
  }

  #isGlobal(name: string): boolean {
    return this.#task.topology.nodes.some(
      (node) => node.kind === 'tableSource' && node.global && node.store === name,
    )
  }

  #schedule(
    intervalMs: number,
    type: 'streamTime' | 'wallClock',
    callback: (timestamp: number) => void,
  ): () => void {
    const task = this.#task
    if (!(Number.isSafeInteger(intervalMs) && intervalMs >= 1))
      throw intervalInvalid(this.#node.name, intervalMs)
    if (!Object.hasOwn(task.punctuators, type)) throw typeUnknown(this.#node.name, type)
    checkArgument(`schedule of '${this.#node.name}'`, callback, synchronous)
    const punctuator: ScheduledPunctuator = {
      node: this.#node.name,
      type,
      intervalMs,
      // Stream time is counted from 0 and fires with the first record, wall-clock time after a full interval.
      nextDueMs: type === 'wallClock' ? task.host.clock.now() + intervalMs : 0,
      isCancelled: false,
      callback: (timestamp) => {
        this.cause = undefined
        refusePromise('the punctuator', callback(timestamp))
      },
    }
    task.punctuators[type].add(punctuator)
    return () => {
      punctuator.isCancelled = true
    }
  }
}

/** The subject a named child of a processor listens to beside the common output. */
export const outputKey = (node: string, child: string): string => `${node}\u0000child\u0000${child}`

const forwardOutsideTurn = (node: string): Fault =>
  new Fault({
    code: 'EMISSION_OUTSIDE_TURN',
    actor: 'author',
    message: 'a processor forwarded a record outside its turn (from a timer or a promise)',
    remedy: 'use mapAsync for asynchronous work, or schedule a punctuator',
    place: { node },
  })

const forwardWithoutKey = (node: string): Fault =>
  new Fault({
    code: 'FORWARD_WITHOUT_KEY',
    actor: 'author',
    message:
      'a value processor forwarded from a punctuator, where there is no record whose key it could keep',
    remedy: 'use process, which gives each record its key',
    place: { node },
  })

const typeUnknown = (node: string, type: unknown): Fault => {
  const near = typeof type === 'string' ? nearest(type, punctuationTypes) : undefined
  return new Fault({
    code: 'PUNCTUATION_TYPE_INVALID',
    actor: 'author',
    message: `a punctuator is scheduled by ${shown(type)}`,
    remedy: near === undefined ? `give ${punctuationTypes.join(' or ')}` : `did you mean '${near}'?`,
    place: { node },
  })
}

const punctuationTypes: readonly ScheduledPunctuator['type'][] = ['streamTime', 'wallClock']

const intervalInvalid = (node: string, intervalMs: number): Fault =>
  new Fault({
    code: 'PUNCTUATION_INTERVAL_INVALID',
    actor: 'author',
    message: `a punctuator is scheduled every ${shown(intervalMs)} ms`,
    remedy: 'give an interval of at least one millisecond, in whole milliseconds',
    place: { node },
  })
