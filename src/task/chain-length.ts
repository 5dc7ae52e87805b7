import { Fault } from '../base/fault.ts'
import type { SubTopology } from '../topology/sub-topologies.ts'

/**
 * A record goes through all steps that follow each other on one stack, and so does the wiring of a task. Some 220
 * processors in a row, or 600 simple steps, overflow it in a way that RxJS reports only after the fact.
 */
export const longestChain = 150

/** Refuses a sub-topology that would overflow the stack. */
export const refuseLongChain = ({ nodes, writes }: SubTopology): void => {
  const lengths = new Map<string, number>()
  for (const { name, from } of [...nodes, ...writes]) {
    let length = 1
    for (const parent of from) length = Math.max(length, (lengths.get(parent) ?? 0) + 1)
    if (length > longestChain) throw chainTooLong(name, length)
    lengths.set(name, length)
  }
}

const chainTooLong = (node: string, length: number): Fault =>
  new Fault({
    code: 'CHAIN_TOO_LONG',
    actor: 'author',
    message: `the step is the ${length}th in a row, and a task runs at most ${longestChain}`,
    remedy: 'make one step of several that follow each other, or end the chain in between with repartition',
    place: { node },
  })
