import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { topologiesOfModule } from '../app/topology-module.ts'
import type { Topology } from '../topology/topology.ts'
import { usage } from './usage.ts'

/** A topology and the module that exports it. */
export interface LoadedTopology {
  readonly topology: Topology
  readonly module: URL
}

/** Imports files and gathers every topology they export, under whatever name. */
export const loadTopologies = async (files: readonly string[]): Promise<readonly Topology[]> =>
  (await loadTopologyModules(files)).map(({ topology }) => topology)

/** The same, with where each was found. */
export const loadTopologyModules = async (files: readonly string[]): Promise<readonly LoadedTopology[]> => {
  const loaded = (await Promise.all(files.map(topologiesIn))).flat()
  const once = loaded.filter(
    ({ topology }, index) => loaded.findIndex((each) => each.topology === topology) === index,
  )
  const names = once.map(({ topology }) => topology.name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw usage(`two topologies are called '${twice}'`, 'run them apart, or rename one')
  return once
}

const topologiesIn = async (file: string): Promise<readonly LoadedTopology[]> => {
  const path = resolve(file)
  if (!existsSync(path)) throw usage(`there is no file ${file}`, 'check the path')
  const module = pathToFileURL(path)
  const topologies = await topologiesOfModule(module, file)
  if (topologies.length > 0) return topologies.map((topology) => ({ topology, module }))
  throw usage(
    `${file} exports no topology`,
    "write: export const name = topology('name', (builder) => { … })",
  )
}
