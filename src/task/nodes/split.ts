import { EMPTY, Subject, merge } from 'rxjs'
import type { Observable } from 'rxjs'
import type { AnyRecord } from '../../topology/node.ts'
import { step } from '../node-context.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'

/** Asks the branches in order and hands the record to the first that wants it; the branch nodes listen there. */
export const interpretSplit: Interpreter<'split'> = (node, inputs, context) => {
  const outputs = node.branches.map(({ name, predicate }) => ({
    name,
    predicate,
    records: new Subject<AnyRecord>(),
  }))
  for (const { name, records } of outputs) context.branches.set(branchKey(node.name, name), records)
  return step(context, node.name, onlyInput(inputs), (record) => {
    outputs.find(({ predicate }) => predicate(record))?.records.next(record)
  })
}

export const interpretBranch: Interpreter<'branch'> = (node, _inputs, context) =>
  context.branches.get(branchKey(node.from[0] as string, node.branch)) ?? EMPTY

export const interpretMerge: Interpreter<'merge'> = (_node, inputs): Observable<AnyRecord> => merge(...inputs)

const branchKey = (split: string, branch: string): string => `${split}\u0000${branch}`
