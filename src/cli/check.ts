import { Command } from 'commander'
import type { TopologyProblem } from '../topology/problem.ts'
import { validateTogether } from '../topology/validate-together.ts'
import { validateTopology } from '../topology/validate.ts'
import { loadTopologies } from './load-topologies.ts'
import { print } from './terminal.ts'

/** `millrace check FILE…`: what is wrong with topologies, alone and together, or looks it. Errors fail, warnings do not. */
export const checkCommand = (): Command =>
  new Command('check')
    .description('report problems of topologies, alone and together, without a connection')
    .argument('<file...>', 'files that export topologies')
    .action(async (files: readonly string[]) => {
      const topologies = await loadTopologies(files)
      for (const topology of topologies)
        for (const problem of validateTopology(topology)) report(`${topology.name}: `, problem)
      for (const problem of validateTogether(topologies)) report('', problem)
    })

const report = (place: string, { severity, code, message, remedy }: TopologyProblem): void => {
  print(`${severity} ${code}: ${place}${message}; ${remedy}`)
  if (severity === 'error') process.exitCode = 1
}
