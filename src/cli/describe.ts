import { Command, Option } from 'commander'
import { describeTopology } from '../topology/describe.ts'
import { dotOf } from '../topology/dot.ts'
import { mermaidOf } from '../topology/mermaid.ts'
import { loadTopologies } from './load-topologies.ts'

interface DescribeOptions {
  readonly mermaid?: boolean
  readonly dot?: boolean
}

/** `millrace describe FILE…`: topologies as text, Mermaid or DOT; nothing is connected to. */
export const describeCommand = (): Command =>
  new Command('describe')
    .description('print topologies: sub-topologies, nodes and stores')
    .argument('<file...>', 'files that export topologies')
    .addOption(new Option('--mermaid', 'as a Mermaid flow chart').conflicts('dot'))
    .addOption(new Option('--dot', 'as a Graphviz graph').conflicts('mermaid'))
    .action(async (files: readonly string[], options: DescribeOptions) => {
      const write = options.mermaid === true ? mermaidOf : options.dot === true ? dotOf : describeTopology
      for (const topology of await loadTopologies(files)) console.log(write(topology))
    })
