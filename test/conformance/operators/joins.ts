import type { Operators } from './operator.ts'
import { streamJoinOperators } from './stream-joins.ts'
import { tableJoinOperators } from './table-joins.ts'

/** Joins of every kind. */
export const joinOperators: Operators = { ...streamJoinOperators, ...tableJoinOperators }
