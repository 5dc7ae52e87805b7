import { Command } from 'commander'
import { diffTopologies } from '../topology/diff.ts'
import type { TopologySnapshot } from '../topology/snapshot.ts'
import type { Topology } from '../topology/topology.ts'
import { loadTopologies } from './load-topologies.ts'
import { print } from './terminal.ts'

/**
 * `millrace diff BEFORE.json FILE…`: what deploying these topologies does to what runs. It fails where something breaks,
 * so that a build stops before a deployment does.
 */
export const diffCommand = (): Command =>
  new Command('diff')
    .description('compare topologies with an earlier version; fails where a running application would break')
    .argument('<before>', 'the earlier version, as `millrace describe --json` printed it')
    .argument('<file...>', 'files that export topologies')
    .action(async (before: string, files: readonly string[]) => {
      const { readSnapshots } = await import('./snapshot-file.ts')
      const known = new Map(readSnapshots(before).map((snapshot) => [snapshot.name, snapshot]))
      const fresh: Topology[] = []
      for (const topology of await loadTopologies(files)) {
        const old = known.get(topology.name)
        if (old === undefined) fresh.push(topology)
        else report(old, topology)
        known.delete(topology.name)
      }
      const [gone, added] = [[...known.values()], fresh]
      // One that is gone and one that is new are most likely the same one under another name.
      if (gone.length === 1 && added.length === 1)
        return report(gone[0] as TopologySnapshot, added[0] as Topology)
      for (const { name } of added) print(`new ${name}`)
      for (const { name } of gone) print(`not there any more: ${name}`)
    })

const report = (before: TopologySnapshot, after: Topology): void => {
  for (const { effect, code, message, remedy } of diffTopologies(before, after)) {
    print(`${effect} ${after.name} ${code}: ${message}${remedy === undefined ? '' : `; ${remedy}`}`)
    if (effect === 'breaking') process.exitCode = 1
  }
}
