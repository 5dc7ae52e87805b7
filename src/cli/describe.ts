import { Command, Option } from 'commander'
import { describeTopology } from '../topology/describe.ts'
import { dotOf } from '../topology/dot.ts'
import { mermaidOf } from '../topology/mermaid.ts'
import { snapshotOf } from '../topology/snapshot.ts'
import type { Topology } from '../topology/topology.ts'
import { loadTopologies } from './load-topologies.ts'
import { print } from './terminal.ts'

interface DescribeOptions {
  readonly mermaid?: boolean
  readonly dot?: boolean
  readonly json?: boolean
}

/** `millrace describe FILE…`: topologies as text, Mermaid, DOT or JSON; nothing is connected to. */
export const describeCommand = (): Command =>
  new Command('describe')
    .description('print topologies: sub-topologies, nodes and stores')
    .argument('<file...>', 'files that export topologies')
    .addOption(new Option('--mermaid', 'as one Mermaid flow chart').conflicts(['dot', 'json']))
    .addOption(new Option('--dot', 'as one Graphviz graph').conflicts(['mermaid', 'json']))
    .addOption(new Option('--json', 'as what `millrace diff` compares with').conflicts(['mermaid', 'dot']))
    .action(async (files: readonly string[], options: DescribeOptions) => {
      print(written(await loadTopologies(files), options).trimEnd())
    })

const written = (topologies: readonly Topology[], { mermaid, dot, json }: DescribeOptions): string => {
  if (mermaid === true) return mermaidOf(topologies)
  if (dot === true) return dotOf(topologies)
  if (json === true) return JSON.stringify(topologies.map(snapshotOf), null, 2)
  return topologies.map(describeTopology).join('\n')
}
