import { Fault } from '../base/fault.ts'
import { contentsOfValue, kindOfValue } from '../base/shown.ts'
import { optionalResultOf, resultOf } from '../topology/callback-results.ts'
import type { NodeKind } from '../topology/node.ts'
import { isLegalTopicName } from '../topic/topic.ts'
import { requireFunction } from './arguments.ts'

type Callback = (...parts: readonly unknown[]) => unknown
type Check = (callback: Callback) => Callback

/**
 * Wraps the author's callbacks of a node, so that no result enters unchecked: undefined where a value is due, a promise, a
 * predicate's answer that is no boolean. What fails is the failure of the record. `count` calls nothing of the author's.
 */
export const withCheckedCallbacks = <Node extends object>(kind: NodeKind, verb: string, node: Node): Node => {
  if (kind === 'process' || kind === 'pipe' || verb === 'count') return node
  const checked: Record<string, unknown> = {}
  for (const [field, check] of Object.entries(checks)) {
    const callback = (node as Record<string, unknown>)[field]
    if (!(field in node) || (field === 'merge' && callback === undefined)) continue
    requireFunction(verb, callback, field)
    checked[field] = check(callback as Callback)
  }
  const { topic } = node as { topic?: unknown }
  if (kind === 'split') checked['branches'] = checkedBranches(node as unknown as Branches)
  if (kind === 'sink' && typeof topic === 'function') checked['topic'] = topicName(topic as Callback)
  return { ...node, ...checked }
}

interface Branches {
  readonly branches: readonly { readonly name: string; readonly predicate: unknown }[]
}

const checkedBranches = ({ branches }: Branches): unknown =>
  branches.map((branch) => {
    requireFunction(`branch '${branch.name}' of split`, branch.predicate)
    return { ...branch, predicate: predicate(branch.predicate as Callback) }
  })

/** A result that may not be undefined. */
const value =
  (what: string): Check =>
  (callback) =>
  (first, second, third) =>
    resultOf(what, callback(first, second, third))

/** A result that may be left out. */
const optional =
  (what: string): Check =>
  (callback) =>
  (first, second, third) =>
    optionalResultOf(what, callback(first, second, third))

/** Anything that JavaScript takes for true or false, as everywhere in the language. */
const predicate: Check = (callback) => (first, second) => {
  const holds = callback(first, second)
  return typeof holds === 'boolean' ? holds : Boolean(optionalResultOf('the predicate', holds))
}

const topicName: Check = (callback) => (record) => {
  const name = optionalResultOf('the topic name', callback(record))
  if (typeof name === 'string' && isLegalTopicName(name)) return name
  throw new Fault({
    code: 'TOPIC_NAME_INVALID',
    actor: 'record',
    message: `the topic name of the record is ${typeof name === 'string' ? 'not legal' : kindOfValue(name)}`,
    remedy: 'return 1 to 249 of a-z, A-Z, 0-9, dot, underscore and hyphen',
    contents: contentsOfValue('topicName', name),
  })
}

const checks: Readonly<Record<string, Check>> = {
  predicate,
  action: optional('the action'),
  id: optional('the id'),
  lookup: optional('the lookup'),
  foreignKey: optional('the foreign key'),
  initial: optional('the initial value'),
  add: value('the aggregator'),
  subtract: value('the subtractor'),
  merge: value('the session merger'),
  join: value('the joiner'),
}
