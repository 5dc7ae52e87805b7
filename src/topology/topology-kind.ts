import type { ValueKind } from '../base/options.ts'
import type { Topology } from './topology.ts'

/** What `topology` returns; JavaScript may give anything in its place. */
export const topologyKind: ValueKind = {
  needs: 'a topology',
  example: 'topology(name, define)',
  accepts: (value) => Array.isArray((value as Partial<Topology> | null | undefined)?.nodes),
}
