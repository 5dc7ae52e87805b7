import type { DropReason } from '../task/ports.ts'
import type { TopologyNode } from '../topology/node.ts'
import { show, showReadable } from './show.ts'
import { valueAtSink } from './sink-value.ts'
import type { Emission, TracedEvent, TracedStep, TracedWrite, TraceRoot } from './trace.ts'

/**
 * What became of the records of one piece of a test: a tree to read (`String(explanation)`) and its steps to look at.
 *
 * @example
 * const explanation = driver.explain(() => driver.input(orders).pipe('order-123', order))
 * console.log(String(explanation))
 * expect(explanation.at('large-orders')).toHaveLength(1)
 */
export class Explanation {
  /** What the work threw, where a record stopped its task; the tree shows at which node. */
  readonly failure: unknown
  readonly #roots: readonly TraceRoot[]
  readonly #nodes: NodeLookup

  /** @internal */
  constructor(roots: readonly TraceRoot[], nodes: NodeLookup, failure: unknown) {
    this.#roots = roots
    this.#nodes = nodes
    this.failure = failure
  }

  /** Every step in the order of the tree. */
  get steps(): readonly TracedStep[] {
    return this.#roots.flatMap(stepsBelow)
  }

  /** The steps of one node, by its name. */
  at(node: string): readonly TracedStep[] {
    return this.steps.filter((step) => step.node === node)
  }

  toString(): string {
    return this.#roots
      .map((root) => drawn(root.kind === 'step' ? this.#stepBranch(root, true) : this.#writeBranch(root)))
      .join('\n')
  }

  #writeBranch(write: TracedWrite): Branch {
    const { topic, partition, offset, record } = write
    return {
      line: `${topic}-${partition}@${offset}  ${showReadable(record)}  at ${record.timestamp}`,
      below: write.steps.map((step) => this.#stepBranch(step, true)),
    }
  }

  /** The place is said where a task takes a record up, and holds for all below. */
  #stepBranch(step: TracedStep, saysPlace: boolean): Branch {
    const place = saysPlace ? `  [${step.topology} ${step.task}]` : ''
    const later = step.later ? ', in a later turn' : ''
    const below = step.events.flatMap((event) => this.#eventBranches(step, event))
    const silent = step.events.every(({ kind }) => kind === 'stored')
    const why = silent ? whySilent(this.#nodes(step.topology, step.node)) : undefined
    return {
      line: `${step.node}${later}${place}`,
      below: why === undefined ? below : [...below, { line: why, below: [] }],
    }
  }

  #eventBranches(step: TracedStep, event: TracedEvent): readonly Branch[] {
    switch (event.kind) {
      case 'emitted':
        return this.#emissionBranches(step, event)
      case 'written': {
        const { line, below } = this.#writeBranch(event)
        return [{ line: `⇒ ${line}`, below }]
      }
      case 'stored':
        return [{ line: `store ${event.store}: ${showRow(event.key, event.value)}`, below: [] }]
      case 'dropped':
        return [{ line: `✗ dropped, ${event.reason}: ${dropReasons[event.reason]}`, below: [] }]
      case 'failed':
        return [{ line: `✗ failed: ${event.message}`, below: [] }]
    }
  }

  /** A record handed on as it came is not said again. */
  #emissionBranches({ record, topology }: TracedStep, emission: Emission): readonly Branch[] {
    const below = emission.steps.map((step) => this.#stepBranch(step, false))
    const { timestamp } = emission.record
    const said = showReadable(this.#asTaken(topology, emission))
    const asItCame = record !== undefined && record.timestamp === timestamp && said === showReadable(record)
    return asItCame ? below : [{ line: `→ ${said}  at ${timestamp}`, below }]
  }

  /** Decoded when it is shown, as that may fail. */
  #asTaken(
    topology: string,
    { record, steps: [taker] }: Emission,
  ): { readonly key: unknown; readonly value: unknown } {
    const sink = taker === undefined ? undefined : this.#nodes(topology, taker.node)
    if (sink?.kind !== 'sink') return record
    return {
      get key() {
        return record.key
      },
      get value() {
        return valueAtSink(sink, record.value)
      },
    }
  }
}

type NodeLookup = (topology: string, node: string) => TopologyNode | undefined

interface Branch {
  readonly line: string
  readonly below: readonly Branch[]
}

const drawn = ({ line, below }: Branch): string =>
  [
    line,
    ...below.map((branch, index) => {
      const last = index === below.length - 1
      const [first, ...rest] = drawn(branch).split('\n')
      return [`${last ? '└─' : '├─'} ${first}`, ...rest.map((each) => `${last ? '   ' : '│  '}${each}`)].join(
        '\n',
      )
    }),
  ].join('\n')

const stepsBelow = (root: TraceRoot | TracedEvent): readonly TracedStep[] => {
  switch (root.kind) {
    case 'step':
      return [root, ...root.events.flatMap(stepsBelow)]
    case 'emitted':
    case 'written':
      return root.steps.flatMap(stepsBelow)
    case 'stored':
    case 'dropped':
    case 'failed':
      return []
  }
}

const showRow = (key: unknown, value: unknown): string =>
  value === null ? `${show(key)} deleted` : `${show(key)} = ${show(value)}`

/** Why a node may keep a record to itself; undefined where that is what it is for. */
const whySilent = (node: TopologyNode | undefined): string | undefined => {
  if (node === undefined) return undefined
  if ('emit' in node && node.emit !== 'onUpdate')
    return node.emit === 'onCommit'
      ? '… buffered until the next commit'
      : '… buffered until its window has closed'
  if (node.kind === 'filter') return `✗ ${node.verb} does not let it pass`
  if (node.kind === 'split') return '✗ no branch takes it'
  if (node.kind === 'suppress') return '… buffered'
  if (node.kind === 'mapAsync') return '… its result comes in a later turn'
  if (node.kind === 'tableSource' && node.global) return undefined
  if (node.kind.endsWith('Join')) return '✗ joins nothing'
  if (node.kind === 'process' || node.kind === 'flatMap' || node.kind === 'pipe') return '✗ emits nothing'
  return undefined
}

const dropReasons: Readonly<Record<DropReason, string>> = {
  nullKey: 'it has no key',
  nullRepartitionKey: 'it has no key to be repartitioned by',
  nullValue: 'it has no value',
  late: 'its windows had closed when it came',
  expired: 'it is older than what the store keeps',
  negativeTimestamp: 'its time is negative',
  outOfOrder: 'a newer record of its key came before',
  nullForeignKey: 'it names no row of the other table',
  nullLookupKey: 'it names no row of the global table',
  duplicate: 'its like came before',
  outdated: 'its row has changed since it asked',
  undecodable: 'its bytes could not be read',
  noPartition: 'the partitioner chose no partition for it',
  sagaStuck: 'the command of its saga cannot be built, so the saga is stuck',
  pipelineCompleted: 'a piped operator completed at it, and the policy leaves it out',
  failed: 'it failed, and the policy leaves it out',
}
