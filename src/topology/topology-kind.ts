import type { ValueKind } from '../base/options.ts'
import { checkArgument } from '../base/options.ts'
import type { Topology } from './topology.ts'

/** What `topology` returns; JavaScript may give anything in its place. */
export const topologyKind: ValueKind = {
  needs: 'a topology',
  example: 'topology(name, define)',
  accepts: (value) => Array.isArray((value as Partial<Topology> | null | undefined)?.nodes),
}

/** An array of topologies. */
export const topologyListKind: ValueKind = {
  needs: 'an array of topologies',
  example: '[inventory, payment]',
  accepts: (value) => Array.isArray(value) && value.every(topologyKind.accepts),
}

/** One or several topologies as an array. */
export const topologiesOf = (
  what: string,
  topologies: Topology | readonly Topology[],
): readonly Topology[] => {
  checkArgument(what, topologies, oneOrSeveral)
  return Array.isArray(topologies) ? topologies : [topologies as Topology]
}

const oneOrSeveral: ValueKind = {
  needs: 'a topology, or an array of them',
  example: 'topology(name, define)',
  accepts: (value) => topologyKind.accepts(value) || topologyListKind.accepts(value),
}
