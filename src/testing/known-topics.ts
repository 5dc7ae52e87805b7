import { Fault } from '../base/fault.ts'
import { nearest } from '../base/nearest.ts'
import type { Topology } from '../topology/topology.ts'
import { matchesWhole } from '../topology/validate-patterns.ts'

/**
 * Which topics the topologies of a driver read and write. A test that writes a topic without a reader, or reads one that no step
 * writes, would pass whatever the topologies do: most often its topic is misspelt.
 */
export class KnownTopics {
  readonly #read: ReadonlySet<string>
  readonly #patterns: readonly RegExp[]
  readonly #sources: readonly Source[]
  readonly #written: ReadonlySet<string>
  readonly #recordsChoose: boolean

  constructor(topologies: readonly Topology[], deadLetterTopic: string) {
    this.#read = new Set(topologies.flatMap(topicsRead))
    this.#sources = topologies.flatMap(sourcesOf)
    this.#patterns = this.#sources.flatMap(({ topics }) => (topics instanceof RegExp ? [topics] : []))
    this.#written = new Set([...topologies.flatMap(topicsWritten), deadLetterTopic])
    this.#recordsChoose = topologies.some(hasDynamicSink)
  }

  refuseUnread(topic: string): void {
    if (this.#read.has(topic) || this.#patterns.some((pattern) => matchesWhole(pattern, topic))) return
    const patterns = this.#patterns.map(String).join(' or ')
    const unmatched = patterns === '' ? '' : `, and its name does not match ${patterns}`
    throw unknownTopic(`no topology of this driver reads topic '${topic}'${unmatched}`, topic, [
      ...this.#read,
    ])
  }

  /** True where each source of the topic has an extractor, which decides about records without a time. */
  mayLackTime(topic: string): boolean {
    const sources = this.#sources.filter(({ topics }) =>
      topics instanceof RegExp ? matchesWhole(topics, topic) : topics.includes(topic),
    )
    return sources.length > 0 && sources.every(({ hasExtractor }) => hasExtractor)
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

/** What reads topics from outside, by name or by pattern. */
interface Source {
  readonly topics: readonly string[] | RegExp
  readonly hasExtractor: boolean
}

const sourcesOf = ({ nodes }: Topology): readonly Source[] =>
  nodes.flatMap((node) => {
    if (node.kind !== 'source' && node.kind !== 'tableSource') return []
    const hasExtractor = node.timestampExtractor !== undefined
    if (node.kind === 'tableSource') return [{ topics: [node.topic.name], hasExtractor }]
    const { topics } = node
    return [{ topics: topics instanceof RegExp ? topics : topics.map(({ name }) => name), hasExtractor }]
  })

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
    remedy:
      names === ''
        ? 'use a topic whose whole name matches, or give the driver the topology that does'
        : `use one of ${names}, or give the driver the topology that does`,
    place: { topic },
  })
}
