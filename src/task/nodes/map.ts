import { step } from '../step.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'

/** One record for one record: `map`, `mapValues`, `selectKey`. */
export const interpretMap: Interpreter<'map'> = (node, inputs, context) =>
  step(context, node.name, onlyInput(inputs), (record, emit) => emit.next(node.transform(record)))

/** Any number of records for one: `flatMap`, `flatMapValues`. */
export const interpretFlatMap: Interpreter<'flatMap'> = (node, inputs, context) =>
  step(context, node.name, onlyInput(inputs), (record, emit) => {
    for (const each of node.transform(record)) emit.next(each)
  })

/** Does something with the record and hands it on: `peek`, `forEach`, `print`. */
export const interpretPeek: Interpreter<'peek'> = (node, inputs, context) =>
  step(context, node.name, onlyInput(inputs), (record, emit) => {
    node.action(record)
    emit.next(record)
  })
