import type { Arrow, Box, Frame } from './picture.ts'
import { pictureOf } from './picture.ts'
import type { Topology } from './topology.ts'
import { topologiesOf } from './topology-kind.ts'

/**
 * One or several topologies as a Mermaid flow chart: topics as cylinders lying down, stores as cylinders, steps as boxes
 * in a frame for each sub-topology. Several topologies share their topics.
 *
 * @example
 * console.log(mermaidOf([inventory, payment, shipping]))
 */
export const mermaidOf = (topologies: Topology | readonly Topology[]): string => {
  const { frames, topics, arrows } = pictureOf(topologiesOf('mermaidOf', topologies))
  const lines = [
    'flowchart LR',
    ...topics.map((topic) => `  ${box(topic)}`),
    ...frames.flatMap(frameLines),
    ...arrows.map(arrow),
    '  classDef internal stroke-dasharray: 4 3',
    ...topics.filter(({ shape }) => shape === 'internalTopic').map(({ id }) => `  class ${id} internal`),
  ]
  return `${lines.join('\n')}\n`
}

const frameLines = ({ id, label, parts }: Frame): readonly string[] => [
  `  subgraph ${id}[${quoted(label)}]`,
  ...parts.flatMap((part) => [
    `    subgraph ${part.id}[${quoted(part.label)}]`,
    ...part.boxes.map((each) => `      ${box(each)}`),
    '    end',
  ]),
  '  end',
]

const outlines: Readonly<Record<Box['shape'], (label: string) => string>> = {
  step: (label) => `[${label}]`,
  store: (label) => `[(${label})]`,
  topic: (label) => `@{ shape: das, label: ${label} }`,
  internalTopic: (label) => `@{ shape: das, label: ${label} }`,
}

const box = ({ id, label, shape }: Box): string => `${id}${outlines[shape](quoted(label))}`

const arrow = ({ from, to, kind }: Arrow): string => `  ${from} ${kind === 'state' ? '-.-' : '-->'} ${to}`

const quoted = (text: string): string => `"${text.replaceAll('"', '#quot;')}"`
