import { step } from '../step.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'

/** `filter` keeps what the predicate holds for, `filterNot` the rest. */
export const interpretFilter: Interpreter<'filter'> = (node, inputs, context) => {
  const kept = node.verb === 'filter'
  return step(context, node.name, onlyInput(inputs), (record, emit) => {
    if (node.predicate(record) === kept) emit.next(record)
  })
}
