import { Fault } from '../base/fault.ts'
import { nearest } from '../base/nearest.ts'
import type { Topology } from '../topology/topology.ts'

/**
 * Which topics the topologies of a driver read and write. A test that writes where nobody reads, or reads where nobody
 * writes, would pass whatever the topologies do: most often its topic is misspelt.
 */
export class KnownTopics {
  readonly #read: ReadonlySet<string>
  readonly #readsPattern: boolean
  readonly #written: ReadonlySet<string>
  readonly #recordsChoose: boolean

  constructor(topologies: readonly Topology[], deadLetterTopic: string) {
    this.#read = new Set(topologies.flatMap(topicsRead))
    this.#readsPattern = topologies.some(readsPattern)
    this.#written = new Set([...topologies.flatMap(topicsWritten), deadLetterTopic])
    this.#recordsChoose = topologies.some(hasDynamicSink)
  }

  /** Where a topology reads a pattern, a test may show what the pattern leaves out. */
  refuseUnread(topic: string): void {
    if (this.#read.has(topic) || this.#readsPattern) return
    throw unknownTopic(`no topology of this driver reads topic '${topic}'`, topic, [...this.#read])
  }

  /** Where records choose their topic, it may be any. */
  refuseUnwritten(topic: string): void {
    if (this.#written.has(topic) || this.#recordsChoose) return
    throw unknownTopic(`no topology of this driver writes topic '${topic}'`, topic, [...this.#written])
  }
}

const topicsRead = ({ name, nodes }: Topology): readonly string[] =>
  nodes.flatMap((node) => {
    if (node.kind === 'source')
      return node.topics instanceof RegExp ? [] : node.topics.map((topic) => topic.name)
    if (node.kind === 'tableSource') return [node.topic.name]
    return node.kind === 'repartition' ? [`${name}-${node.topic}`] : []
  })

const readsPattern = ({ nodes }: Topology): boolean =>
  nodes.some((node) => node.kind === 'source' && node.topics instanceof RegExp)

const topicsWritten = ({ name, nodes, stores }: Topology): readonly string[] => [
  ...nodes.flatMap((node) => {
    if (node.kind === 'sink') return typeof node.topic === 'function' ? [] : [node.topic.name]
    return node.kind === 'repartition' ? [`${name}-${node.topic}`] : []
  }),
  ...stores.filter(({ changelog }) => changelog).map((store) => `${name}-${store.name}-changelog`),
]

const hasDynamicSink = ({ nodes }: Topology): boolean =>
  nodes.some((node) => node.kind === 'sink' && typeof node.topic === 'function')

const unknownTopic = (message: string, topic: string, known: readonly string[]): Fault => {
  const near = nearest(topic, known)
  const names = known.map((name) => `'${name}'`).join(', ')
  return new Fault({
    code: 'TEST_TOPIC_UNKNOWN',
    actor: 'author',
    message: near === undefined ? message : `${message}; did you mean '${near}'?`,
    remedy: `use one of ${names}, or give the driver the topology that does`,
    place: { topic },
  })
}
