import type { OptionShape } from '../base/options.ts'
import { largestOf } from '../base/extremes.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import type { ValueKind } from '../base/options.ts'
import { bufferedChangeSerde } from '../topology/buffered-change.ts'
import { tableSemanticsOf } from '../topology/table-semantics.ts'
import type { Graph, Position } from './graph.ts'
import type { Named, StoreOptions } from './options.ts'
import { namedOptions, storeOptions } from './options.ts'
import { storeBase } from './stores.ts'
import type { Suppression } from './suppression.ts'

/** Adds a suppression and the store of what waits in it. */
export const suppressed = (
  at: Position,
  suppression: Suppression<never>,
  options: StoreOptions & Named,
): Position => {
  const { graph } = at
  checkArgument('suppress', suppression, suppressionKind)
  checkOptions('suppress', options, suppressOptions)
  if (isVersioned(graph, at.node))
    graph.fault(
      'SUPPRESSION_VERSIONED',
      `'${options.store}' would delay updates of a versioned table, of which some are older than others`,
      'leave the suppression out, or keep the table without versions',
      at.node,
    )
  const graceMs = suppression.until === 'windowCloses' ? graceAbove(graph, at.node) : 0
  if (graceMs === undefined)
    graph.fault(
      'SUPPRESSION_NOT_WINDOWED',
      `'${options.store}' would wait until windows close, but the table it follows has no windows`,
      'window the aggregate above it, or use untilTimeLimit',
      at.node,
    )
  const base = storeBase(at, options)
  graph.addStore({ kind: 'keyValue', timestamped: false, ...base, value: bufferedChangeSerde(base.value) })
  const node = graph.add('suppress', 'suppress', options.name, {
    from: [at.node],
    store: options.store,
    until:
      suppression.until === 'timeLimit'
        ? { kind: 'timeLimit', limitMs: suppression.limitMs }
        : { kind: 'windowCloses', graceMs: graceMs ?? 0 },
    maxRecords: suppression.maxRecords,
    maxBytes: suppression.maxBytes,
    whenFull: suppression.whenFull,
  })
  return { ...at, node }
}

const suppressOptions: OptionShape<StoreOptions & Named> = { ...namedOptions, ...storeOptions }

const suppressionKind: ValueKind = {
  needs: 'a suppression',
  example: 'untilWindowCloses() or untilTimeLimit({ limit })',
  accepts: (value) =>
    ['windowCloses', 'timeLimit'].includes((value as { readonly until?: string } | undefined)?.until ?? ''),
}

const isVersioned = ({ nodes, stores }: Graph, node: string): boolean =>
  tableSemanticsOf({ nodes: [...nodes], stores }).versioned.has(node)

/**
 * How long after its end a window of this table may still change: what the windows nearest above say. Undefined where
 * some of its records come from no windows.
 */
const graceAbove = (graph: Graph, name: string): number | undefined => {
  const node = graph.nodes.find((each) => each.name === name)
  if (node === undefined || node.from.length === 0) return undefined
  if (node.kind === 'windowAggregate' || node.kind === 'slidingAggregate') return node.windows.graceMs
  if (node.kind === 'sessionAggregate') return node.windows.gapMs + node.windows.graceMs
  const graces = node.from.map((parent) => graceAbove(graph, parent))
  return graces.includes(undefined) ? undefined : largestOf(graces as number[])
}
