import { sinkTopicOf, topicsOf } from './describe.ts'
import type { TopologyNode } from './node.ts'
import { globalTablesOf, subTopologiesOf } from './sub-topologies.ts'
import type { Topology } from './topology.ts'
import { storesOf } from './topology.ts'

/**
 * One or several topologies as a picture before anybody draws it: boxes, and arrows between them. Topics stand outside
 * the topologies and are shared, so that what one service writes and another reads is seen: choreography comes out.
 * Mermaid, DOT and the dashboard draw the same picture.
 */
export interface Picture {
  readonly frames: readonly Frame[]
  readonly topics: readonly Box[]
  readonly arrows: readonly Arrow[]
}

/** A topology, with a frame inside for each of its sub-topologies. */
export interface Frame {
  readonly id: string
  readonly label: string
  readonly owner: string | undefined
  readonly parts: readonly Part[]
}

interface Part {
  readonly id: string
  readonly label: string
  readonly boxes: readonly Box[]
}

export interface Box {
  readonly id: string
  readonly label: string
  readonly shape: 'step' | 'store' | 'topic' | 'internalTopic'
}

export interface Arrow {
  readonly from: string
  readonly to: string
  /** `state` connects a step with its store. */
  readonly kind: 'records' | 'state'
}

/** The picture of these topologies together. */
export const pictureOf = (topologies: readonly Topology[]): Picture => {
  const artist = new Artist()
  for (const topology of topologies) artist.add(topology)
  return artist.picture
}

class Artist {
  readonly picture: { frames: Frame[]; topics: Box[]; arrows: Arrow[] } = {
    frames: [],
    topics: [],
    arrows: [],
  }
  readonly #topics = new Map<string, string>()

  add(topology: Topology): void {
    const frame = `t${this.picture.frames.length}`
    const idOf = idsOf(frame, topology)
    const parts = subTopologiesOf(topology).map(({ index, nodes, stores }) => ({
      id: `${frame}p${index}`,
      label: `sub-topology ${index}`,
      boxes: [
        ...nodes.map((node): Box => ({ id: idOf(node.name), label: labelOf(node), shape: 'step' })),
        ...stores.map(({ name }): Box => ({ id: idOf(storeKey(name)), label: name, shape: 'store' })),
      ],
    }))
    const globals = globalTablesOf(topology).map(({ source, store }, index) => ({
      id: `${frame}g${index}`,
      label: 'global table',
      boxes: [
        { id: idOf(source.name), label: labelOf(source), shape: 'step' } as const,
        { id: idOf(storeKey(store.name)), label: store.name, shape: 'store' } as const,
      ],
    }))
    this.picture.frames.push({
      id: frame,
      label: topology.name,
      owner: topology.owner,
      parts: [...parts, ...globals],
    })
    const repartitions = new Map(
      topology.nodes.filter((each) => each.kind === 'repartition').map((each) => [each.name, each.topic]),
    )
    const box = (name: string): string => {
      const topic = repartitions.get(name)
      return topic === undefined ? idOf(name) : this.#topic(`${topology.name}-${topic}`, 'internalTopic')
    }
    for (const node of topology.nodes) this.#connect(node, idOf, box)
  }

  /** `box` is where arrows between nodes go: the topic of a repartition, and the box of any other node. */
  #connect(node: TopologyNode, idOf: (name: string) => string, box: (name: string) => string): void {
    for (const parent of new Set(node.from)) this.#arrow(box(parent), box(node.name), 'records')
    for (const store of storesOf(node)) this.#arrow(idOf(node.name), idOf(storeKey(store)), 'state')
    if (node.kind === 'source')
      for (const name of node.topics instanceof RegExp
        ? [topicsOf(node)]
        : node.topics.map((each) => each.name))
        this.#arrow(this.#topic(name, 'topic'), idOf(node.name), 'records')
    if (node.kind === 'tableSource')
      this.#arrow(this.#topic(node.topic.name, 'topic'), idOf(node.name), 'records')
    if (node.kind === 'sink') this.#arrow(idOf(node.name), this.#topic(sinkTopicOf(node), 'topic'), 'records')
  }

  #arrow(from: string, to: string, kind: Arrow['kind']): void {
    this.picture.arrows.push({ from, to, kind })
  }

  #topic(name: string, shape: 'topic' | 'internalTopic'): string {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    const id = `k${this.#topics.size}`
    this.#topics.set(name, id)
    this.picture.topics.push({ id, label: name, shape })
    return id
  }
}

const storeKey = (name: string): string => `store\u0000${name}`

/** Short ids, as names may hold what a drawing language does not take. */
const idsOf = (frame: string, { nodes, stores }: Topology): ((name: string) => string) => {
  const ids = new Map(nodes.map(({ name }, index) => [name, `${frame}n${index}`]))
  stores.forEach(({ name }, index) => ids.set(storeKey(name), `${frame}s${index}`))
  return (name) => ids.get(name) ?? `${frame}unknown`
}

/** What a box says: the verb, and the author's name where it has one. */
const labelOf = (node: TopologyNode): string => {
  const verb = verbOf(node)
  return node.named === true && node.name !== verb ? `${verb}: ${node.name}` : verb
}

/** The word the author said this node with. */
export const verbOf = (node: TopologyNode): string => {
  if ('verb' in node) return node.verb
  if ('type' in node && node.kind.endsWith('Join')) return node.type === 'inner' ? 'join' : `${node.type}Join`
  return words[node.kind] ?? node.kind
}

const words: Readonly<Partial<Record<TopologyNode['kind'], string>>> = {
  source: 'stream',
  tableSource: 'table',
  sink: 'to',
  tableGroupBy: 'groupBy',
}
