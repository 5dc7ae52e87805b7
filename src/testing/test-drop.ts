import type { StreamRecord } from '../topic/record.ts'
import type { DropReason } from '../task/ports.ts'
import { showReadable } from './show.ts'

/** A record that was left out on purpose. */
export interface TestDrop {
  readonly reason: DropReason
  readonly topology: string
  readonly node: string
  /** As the node saw it; undefined where no record was in hand. */
  readonly record: StreamRecord<unknown, unknown> | undefined
}

/** One line for each record that was left out, to explain its absence. */
export const showDrops = (drops: readonly TestDrop[]): readonly string[] =>
  drops.map(({ reason, topology, node, record }) => {
    const said = record === undefined ? 'a record' : showReadable(record)
    return `dropped, ${reason}: ${said}  at ${node} [${topology}]`
  })
