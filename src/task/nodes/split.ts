import { merge } from 'rxjs'
import type { Observable } from 'rxjs'
import type { AnyRecord } from '../../topology/node.ts'
import { sideOutputKey } from '../node-context.ts'
import { step } from '../step.ts'
import { Relay } from '../relay.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'

/** Asks the branches in order and hands the record to the first that wants it; the branch nodes listen there. */
export const interpretSplit: Interpreter<'split'> = (node, inputs, context) => {
  const outputs = node.branches.map(({ name, predicate }) => ({
    name,
    predicate,
    records: new Relay(),
  }))
  for (const { name, records } of outputs) context.branches.set(branchKey(node.name, name), records)
  return step(context, node.name, onlyInput(inputs), (record) => {
    outputs.find(({ predicate }) => predicate(record))?.records.next(record)
  })
}

/** What a split handed to this branch; below any other node, what that node dropped for the reason it is called. */
export const interpretBranch: Interpreter<'branch'> = (node, _inputs, context) => {
  const parent = node.from[0] as string
  const branch = context.branches.get(branchKey(parent, node.branch))
  if (branch !== undefined) return branch
  const dropped = new Relay()
  context.sideOutputs.set(sideOutputKey(parent, node.branch), dropped)
  return dropped
}

/** Streams that go on as one, or the parts of a table that several nodes keep in one store. */
export const interpretMerge: Interpreter<'merge'> = (node, inputs, context): Observable<AnyRecord> => {
  const view = context.views.get(node.from[0] as string)
  if (view !== undefined) context.views.set(node.name, view)
  return merge(...inputs)
}

const branchKey = (split: string, branch: string): string => `${split}\u0000${branch}`
