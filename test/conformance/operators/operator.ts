import type { Operator } from '../scenario.ts'
import type { Scope } from '../scope.ts'

/** Adds one operator of a scenario to the topology being built. */
export type BuildOperator = (operator: Operator, scope: Scope) => void
export type Operators = Readonly<Record<string, BuildOperator>>
