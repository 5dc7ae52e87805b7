import { Fault, wholeMessageOf } from '../base/fault.ts'
import type { FailureHandler } from '../task/failure-handler.ts'
import type { Topology } from '../topology/topology.ts'

/**
 * Where a topology is found by a thread that can't be handed it: functions don't cross from thread to thread. A module may
 * export a function `onFailedRecord` beside its topologies, which decides about the records of all of them that fail.
 */
export interface TopologyModule {
  /** The module that exports it; a URL, such as `new URL('./payment.ts', import.meta.url)`, or its text. */
  readonly module: URL | string
  /** The topology's name, where the module exports several. */
  readonly topology?: string
}

/** Imports a module and gathers every topology it exports, under whatever name. `called` is what its author calls it. */
export const topologiesOfModule = async (
  module: URL | string,
  called: string = String(module),
): Promise<readonly Topology[]> =>
  Object.values(await exportsOf(module, called))
    .flat()
    .filter(isTopology)

/** The function by which a module decides about records that fail; undefined where it exports none. */
export const failureHandlerOfModule = async (
  module: URL | string,
  called: string = String(module),
): Promise<FailureHandler | undefined> => {
  const { onFailedRecord } = await exportsOf(module, called)
  if (onFailedRecord === undefined || typeof onFailedRecord === 'function')
    return onFailedRecord as FailureHandler | undefined
  throw new Fault({
    code: 'FAILURE_HANDLER_INVALID',
    actor: 'author',
    message: `${called} exports onFailedRecord, but it is no function`,
    remedy: 'export a function that takes a failed record, or call it something else',
  })
}

const exportsOf = async (module: URL | string, called: string): Promise<Record<string, unknown>> => {
  try {
    return (await import(String(module))) as Record<string, unknown>
  } catch (cause) {
    throw new Fault({
      code: 'FILE_NOT_LOADED',
      actor: 'author',
      message: `${called} can't be loaded: ${wholeMessageOf(cause)}`,
      cause,
    })
  }
}

/** The one topology that is meant. */
export const topologyOfModule = async ({ module, topology }: TopologyModule): Promise<Topology> => {
  const found = await topologiesOfModule(module)
  const meant = topology === undefined ? found : found.filter(({ name }) => name === topology)
  const [only] = meant
  if (only !== undefined && meant.length === 1) return only
  const names = found.map(({ name }) => `'${name}'`).join(', ')
  const exported = found.length === 0 ? 'no topology' : names
  const wanted = topology === undefined ? '' : `, not one '${topology}'`
  throw new Fault({
    code: 'TOPOLOGY_NOT_FOUND',
    actor: 'author',
    message: `${String(module)} exports ${exported}${wanted}`,
    remedy: 'name one topology that the module exports',
  })
}

const isTopology = (value: unknown): value is Topology =>
  typeof value === 'object' && value !== null && 'nodes' in value && 'stores' in value && 'name' in value
