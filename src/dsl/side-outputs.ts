import type { OptionShape } from '../base/options.ts'
import { nested, synchronous } from '../base/value-kinds.ts'
import { refuseLaterSteps } from './arguments.ts'
import type { Position } from './graph.ts'
import { handlesOf } from './handles.ts'
import type { Stream } from './stream.ts'

/**
 * What an aggregate does not take is counted by reason, and may be taken up as streams too: each function gets the stream
 * of the records dropped for that reason, as they came.
 *
 * @example
 * windowed.count({ store: 'orders-by-minute', dropped: { late: (records) => records.to(lateOrders) } })
 */
export interface SideOutputs<K, V> {
  /** Records without key. */
  readonly nullKey?: (records: Stream<K | null, V>) => void
  /** Records without value, where the aggregate takes none. */
  readonly nullValue?: (records: Stream<K, V | null>) => void
}

/** What a windowed aggregate may leave out besides. */
export interface WindowedSideOutputs<K, V> extends SideOutputs<K, V> {
  /** Records that came when all of their windows had closed. */
  readonly late?: (records: Stream<K, V>) => void
}

const sideOutputs: OptionShape<SideOutputs<never, never>> = { nullKey: synchronous, nullValue: synchronous }

/** The kinds of the option `dropped`. */
export const droppedOption = nested<SideOutputs<never, never>>(sideOutputs)
export const windowedDroppedOption = nested<WindowedSideOutputs<never, never>>({
  ...sideOutputs,
  late: synchronous,
})

/** Adds a branch below the node for each reason with a consumer. */
export const addSideOutputs = (
  input: Position,
  node: string,
  /** A function by reason: `SideOutputs` and its kin. */
  outputs: object | undefined,
): void => {
  for (const [reason, use] of Object.entries(outputs ?? {}) as [string, UseRecords | undefined][]) {
    if (use === undefined) continue
    const branch = input.graph.add('branch', 'dropped', `${node}-${reason}`, { from: [node], branch: reason })
    refuseLaterSteps(
      `dropped.${reason}`,
      use(handlesOf(input.graph).stream<never, never>({ ...input, node: branch })),
    )
  }
}

type UseRecords = (records: Stream<never, never>) => unknown
