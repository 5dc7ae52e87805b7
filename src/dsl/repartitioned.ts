import type { Partitioner, RepartitionNode } from '../topology/node.ts'
import type { Position } from './graph.ts'

export interface RepartitionSettings {
  readonly partitions: number | undefined
  readonly partitioner?: Partitioner<number> | undefined
  /** Records without key can't be grouped or joined; only what leads to a left or outer join lets them pass. */
  readonly dropNullKeys: boolean
  readonly changes?: boolean
}

/** Goes on through the internal topic `<application>-<name>-repartition`. */
export const repartitioned = (
  at: Position,
  verb: RepartitionNode['verb'],
  name: string,
  settings: RepartitionSettings,
): Position => {
  const { graph } = at
  const { partitions } = settings
  if (partitions !== undefined && !(Number.isSafeInteger(partitions) && partitions >= 1))
    graph.refuseArgument(`repartition '${name}': partitions is ${String(partitions)}`)
  const key = graph.keySerde(at.key)
  const value = graph.valueSerde(at.value, `repartition '${name}'`)
  const node = graph.add('repartition', 'repartition', `${name}-repartition`, {
    from: [at.node],
    verb,
    topic: `${name}-repartition`,
    key,
    value,
    changes: settings.changes ?? false,
    dropNullKeys: settings.dropNullKeys,
    partitions: settings.partitions,
    partitioner: settings.partitioner,
  })
  return { graph, node, key, value, rekeyed: false }
}

/** The same position where the key still is the one the records are partitioned by; else through a repartition. */
export const materialisable = (at: Position, name: string, partitions?: number): Position =>
  at.rekeyed ? repartitioned(at, 'groupBy', name, { partitions, dropNullKeys: true }) : at
