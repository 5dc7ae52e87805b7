import { refuseUnknownOptions } from '../base/known-options.ts'
import type { NodeOf } from '../topology/node.ts'
import type { ProcessorSupplier } from '../topology/processor.ts'
import type { Position } from './graph.ts'
import type { Named } from './options.ts'

export interface ProcessOptions extends Named {
  /** The stores the processor may ask for, by name: of `builder.store`, or of tables of this topology. */
  readonly stores?: readonly string[]
}

/** Adds a processor of the author's own; its stores have to be declared before. */
export const processNode = (
  at: Position,
  verb: NodeOf<'process'>['verb'],
  supplier: ProcessorSupplier,
  options: ProcessOptions,
): Position => {
  refuseUnknownOptions(verb, options, ['name', 'stores', 'key', 'value'])
  const { name, stores = [] } = options
  const { graph } = at
  for (const store of stores)
    if (!graph.stores.some((known) => known.name === store))
      graph.fault(
        'STORE_UNKNOWN',
        `step '${name ?? verb}' connects store '${store}', which is not declared before it`,
        'declare it with builder.store(...), or name the store of a table',
        name,
      )
  const node = graph.add('process', verb, name, { from: [at.node], verb, supplier, stores })
  return { ...at, node }
}
