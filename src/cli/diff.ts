import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { Fault, messageOf } from '../base/fault.ts'
import { diffTopologies } from '../topology/diff.ts'
import type { TopologyDifference } from '../topology/difference.ts'
import type { TopologySnapshot } from '../topology/snapshot.ts'
import { loadTopologies } from './load-topologies.ts'

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
      const known = new Map(readSnapshots(before).map((snapshot) => [snapshot.name, snapshot]))
      for (const topology of await loadTopologies(files)) {
        const old = known.get(topology.name)
        if (old === undefined) console.log(`new ${topology.name}`)
        else for (const difference of diffTopologies(old, topology)) tell(topology.name, difference)
        known.delete(topology.name)
      }
      for (const name of known.keys()) console.log(`not there any more: ${name}`)
    })

const tell = (topology: string, { effect, code, message, remedy }: TopologyDifference): void => {
  console.log(`${effect} ${topology} ${code}: ${message}${remedy === undefined ? '' : `; ${remedy}`}`)
  if (effect === 'breaking') process.exitCode = 1
}

const readSnapshots = (file: string): readonly TopologySnapshot[] => {
  try {
    const content = JSON.parse(readFileSync(file, 'utf8')) as TopologySnapshot | readonly TopologySnapshot[]
    return [content].flat() as readonly TopologySnapshot[]
  } catch (cause) {
    throw new Fault({
      code: 'USAGE',
      actor: 'author',
      message: `${file} can't be read: ${messageOf(cause)}`,
      remedy: `make it with: millrace describe --json FILE > ${file}`,
      cause,
    })
  }
}
