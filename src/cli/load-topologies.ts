import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Fault, messageOf } from '../base/fault.ts'
import type { Topology } from '../topology/topology.ts'

/** Imports files and gathers every topology they export, under whatever name. */
export const loadTopologies = async (files: readonly string[]): Promise<readonly Topology[]> => {
  const loaded = await Promise.all(files.map(topologiesIn))
  const topologies = [...new Set(loaded.flat())]
  const names = topologies.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw usage(`two topologies are called '${twice}'`, 'run them apart, or rename one')
  return topologies
}

const topologiesIn = async (file: string): Promise<readonly Topology[]> => {
  const path = resolve(file)
  if (!existsSync(path)) throw usage(`there is no file ${file}`, 'check the path')
  const module = await importFile(path, file)
  const topologies = Object.values(module).flat().filter(isTopology)
  if (topologies.length > 0) return topologies
  throw usage(
    `${file} exports no topology`,
    "write: export const name = topology('name', (builder) => { … })",
  )
}

const importFile = async (path: string, file: string): Promise<Record<string, unknown>> => {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>
  } catch (cause) {
    throw new Fault({
      code: 'FILE_NOT_LOADED',
      actor: 'author',
      message: `${file} can't be loaded: ${messageOf(cause)}`,
      cause,
    })
  }
}

const isTopology = (value: unknown): value is Topology =>
  typeof value === 'object' && value !== null && 'nodes' in value && 'stores' in value && 'name' in value

const usage = (message: string, remedy: string): Fault =>
  new Fault({ code: 'USAGE', actor: 'author', message, remedy })
