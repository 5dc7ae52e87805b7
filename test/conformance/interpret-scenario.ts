import type { Topic, Topology } from 'millrace'
import { topology } from 'millrace'
import type { Datum } from './functions.ts'
import { aggregateOperators } from './operators/aggregates.ts'
import { groupOperators } from './operators/groups.ts'
import { joinOperators } from './operators/joins.ts'
import type { Operators } from './operators/operator.ts'
import { processorOperators } from './operators/processors.ts'
import { streamOperators } from './operators/streams.ts'
import { tableOperators } from './operators/tables.ts'
import type { Scenario } from './scenario.ts'
import type { Entry } from './scope.ts'
import { Scope } from './scope.ts'

/** A scenario's topology as Millrace has it, said through the public DSL alone, and the topics to drive it by. */
export interface InterpretedScenario {
  readonly topology: Topology
  readonly inputs: ReadonlyMap<string, Topic<Datum, Datum>>
  readonly outputs: ReadonlyMap<string, Topic<Datum, Datum>>
  readonly entries: ReadonlyMap<string, Entry>
}

const operators: Operators = {
  ...streamOperators,
  ...tableOperators,
  ...groupOperators,
  ...aggregateOperators,
  ...joinOperators,
  ...processorOperators,
}

export const interpretScenario = (scenario: Scenario): InterpretedScenario => {
  let scope: Scope | undefined
  const built = topology(
    'conformance',
    (builder) => {
      scope = new Scope(builder)
      for (const operator of scenario.topology) {
        const build = Object.hasOwn(operators, operator.op) ? operators[operator.op] : undefined
        if (build === undefined)
          throw new Error(`unknown op '${operator.op}': there are ${Object.keys(operators).join(', ')}`)
        build(operator, scope)
      }
    },
    { optimise: scenario.config?.optimize === true },
  )
  const { inputs, outputs, entries } = scope as unknown as Scope
  return { topology: built, inputs, outputs, entries }
}
