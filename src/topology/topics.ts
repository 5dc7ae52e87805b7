import type { Topology } from './topology.ts'

/** The topics a topology names as its inputs; those that a pattern will match are not known here. */
export const sourceTopicsOf = ({ nodes }: Topology): readonly string[] => [
  ...new Set(
    nodes.flatMap((node) => {
      if (node.kind === 'tableSource') return [node.topic.name]
      return node.kind === 'source' && !(node.topics instanceof RegExp)
        ? node.topics.map(({ name }) => name)
        : []
    }),
  ),
]

/** The topics a topology names as its outputs; those that are chosen record by record are not known here. */
export const sinkTopicsOf = ({ nodes }: Topology): readonly string[] => [
  ...new Set(
    nodes.flatMap((node) =>
      node.kind === 'sink' && typeof node.topic !== 'function' ? [node.topic.name] : [],
    ),
  ),
]

/** True where a sink chooses its topic record by record. */
export const choosesSinks = ({ nodes }: Topology): boolean =>
  nodes.some((node) => node.kind === 'sink' && typeof node.topic === 'function')
