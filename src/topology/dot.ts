import type { Arrow, Box, Frame } from './picture.ts'
import { pictureOf } from './picture.ts'
import type { Topology } from './topology.ts'
import { topologiesOf } from './topology-kind.ts'

/**
 * One or several topologies as a Graphviz graph, drawn alike to the Mermaid flow chart.
 *
 * @example
 * console.log(dotOf(payment)) // node describe.ts | dot -Tsvg
 */
export const dotOf = (topologies: Topology | readonly Topology[]): string => {
  const { frames, topics, arrows } = pictureOf(topologiesOf('dotOf', topologies))
  const lines = [
    'digraph topologies {',
    '  rankdir=LR',
    '  node [fontname="Helvetica", shape=box]',
    ...topics.map((topic) => `  ${box(topic)}`),
    ...frames.flatMap(frameLines),
    ...arrows.map(arrow),
    '}',
  ]
  return `${lines.join('\n')}\n`
}

const frameLines = ({ id, label, parts }: Frame): readonly string[] => [
  `  subgraph cluster_${id} {`,
  `    label=${quoted(label)}`,
  ...parts.flatMap((part) => [
    `    subgraph cluster_${part.id} {`,
    `      label=${quoted(part.label)}`,
    ...part.boxes.map((each) => `      ${box(each)}`),
    '    }',
  ]),
  '  }',
]

const shapes: Readonly<Record<Box['shape'], string>> = {
  step: '',
  store: ', shape=cylinder',
  topic: ', shape=cds',
  internalTopic: ', shape=cds, style=dashed',
}

const box = ({ id, label, shape }: Box): string => `${id} [label=${quoted(label)}${shapes[shape]}]`

const arrow = ({ from, to, kind }: Arrow): string =>
  `  ${from} -> ${to}${kind === 'state' ? ' [style=dotted, dir=none]' : ''}`

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
