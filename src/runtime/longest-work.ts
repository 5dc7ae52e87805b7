import { Fault } from '../base/fault.ts'
import type { NodeOf, TopologyNode } from '../topology/node.ts'
import type { Topology } from '../topology/topology.ts'
import type { RuntimeSettings } from './runtime-settings.ts'

/** The longest time that asynchronous work of one record may take, and the nodes it passes on that path. */
export interface LongestWork {
  readonly durationMs: number
  readonly nodes: readonly string[]
}

/**
 * A commit under `exactly_once` waits for the asynchronous work in flight, and so does a task that moves to another
 * process. A timeout below what one record may take would repeat its calls again and again before its own attempts are
 * used up. So both timeouts are at least as long as the topology needs.
 */
export const allowLongestWork = (topology: Topology, settings: RuntimeSettings): RuntimeSettings => {
  const { durationMs } = longestWorkOf(topology)
  if (durationMs === 0) return settings
  const neededMs = Math.min(neededFor(durationMs, settings), maxTransactionTimeoutMs)
  return {
    ...settings,
    transactionTimeoutMs: Math.max(settings.transactionTimeoutMs, neededMs),
    rebalanceTimeoutMs: Math.max(settings.rebalanceTimeoutMs, neededMs),
  }
}

/** Warnings about timeouts that `allowLongestWork` raises; throws where the broker allows no such timeout. */
export const longWorkWarnings = (topology: Topology, settings: RuntimeSettings): readonly string[] => {
  const work = longestWorkOf(topology)
  const raised = allowLongestWork(topology, settings)
  const isExactlyOnce = settings.processingGuarantee === 'exactly_once'
  if (isExactlyOnce && neededFor(work.durationMs, settings) > maxTransactionTimeoutMs) throw tooLong(work)
  const names = isExactlyOnce
    ? (['transactionTimeoutMs', 'rebalanceTimeoutMs'] as const)
    : (['rebalanceTimeoutMs'] as const)
  return names
    .filter((name) => raised[name] > settings[name])
    .map(
      (name) =>
        `${described(work)}, so ${name} is raised from ${settings[name]} to ${raised[name]}; set a smaller timeout or fewer attempts, or raise ${name}`,
    )
}

/** Attempts and the pauses between them, along the slowest path; a record of a repartition topic starts again at 0. */
export const longestWorkOf = ({ nodes }: Pick<Topology, 'nodes'>): LongestWork => {
  const upTo = new Map<string, LongestWork>()
  for (const node of nodes) {
    const before = node.from.map((parent) => upTo.get(parent) ?? none).reduce(longer, none)
    upTo.set(node.name, after(node, before))
  }
  return [...upTo.values()].reduce(longer, none)
}

const none: LongestWork = { durationMs: 0, nodes: [] }

const longer = (one: LongestWork, other: LongestWork): LongestWork =>
  other.durationMs > one.durationMs ? other : one

const after = (node: TopologyNode, before: LongestWork): LongestWork => {
  if (node.kind === 'repartition') return none
  if (node.kind !== 'mapAsync') return before
  return { durationMs: before.durationMs + allAttemptsMs(node), nodes: [...before.nodes, node.name] }
}

/** The pause doubles after each attempt. */
const allAttemptsMs = ({ timeoutMs, retry }: NodeOf<'mapAsync'>): number =>
  retry.attempts * timeoutMs + retry.backoffMs * (2 ** (retry.attempts - 1) - 1)

/** With time for what comes before the work and for the commit after it. */
const neededFor = (durationMs: number, { commitIntervalMs }: RuntimeSettings): number =>
  durationMs === 0 ? 0 : Math.ceil(durationMs * 1.2) + commitIntervalMs + 1_000

/** The default of the broker's `transaction.max.timeout.ms`. */
const maxTransactionTimeoutMs = 900_000

const described = ({ durationMs, nodes }: LongestWork): string =>
  `the calls for one record may take ${durationMs} ms with all attempts (${nodes.join(', ')})`

const tooLong = (work: LongestWork): Fault =>
  new Fault({
    code: 'ASYNC_WORK_TOO_LONG',
    actor: 'author',
    message: `${described(work)}, and under exactly_once a transaction stays open for as long, but a broker allows ${maxTransactionTimeoutMs} ms`,
    remedy: 'set a smaller timeout or fewer attempts, or use at_least_once',
    place: { node: work.nodes[0] },
  })
