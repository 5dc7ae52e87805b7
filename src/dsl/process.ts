import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { listOf, text } from '../base/value-kinds.ts'
import type { Serde } from '../topic/serde.ts'
import { serde, serdeSource } from '../topic/value-kinds.ts'
import type { NodeOf } from '../topology/node.ts'
import type { ProcessorSupplier } from '../topology/processor.ts'
import type { Position } from './graph.ts'
import { requireFunction } from './arguments.ts'
import type { Named, SerdeSource } from './options.ts'
import { namedOptions } from './options.ts'

/** Options of `process` and `processValues`. */
export interface ProcessOptions extends Named {
  /** The stores the processor may ask for, by name: of `builder.store`, or of tables of this topology. */
  readonly stores?: readonly string[]
}

/** Options of `process`, whose processor may change keys. */
export interface KeyedProcessOptions<K, V> extends ValueProcessOptions<V> {
  readonly key?: Serde<NonNullable<K>>
}

/** Options of `processValues`. */
export interface ValueProcessOptions<V> extends ProcessOptions {
  readonly value?: SerdeSource<NonNullable<V>>
}

const valueOptions: OptionShape<ValueProcessOptions<never>> = {
  ...namedOptions,
  stores: listOf(text),
  value: serdeSource,
}
const keyedOptions: OptionShape<KeyedProcessOptions<never, never>> = { ...valueOptions, key: serde }

/** Adds a processor of the author's own; its stores have to be declared before. */
export const processNode = (
  at: Position,
  verb: NodeOf<'process'>['verb'],
  supplier: ProcessorSupplier,
  options: ProcessOptions,
): Position => {
  requireFunction(verb, supplier)
  if (verb === 'process') checkOptions(verb, options, keyedOptions)
  else checkOptions(verb, options, valueOptions)
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
