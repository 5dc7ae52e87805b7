import * as fc from 'fast-check'

/** One update of one of several tables: null deletes the row. */
export interface Update {
  readonly table: string
  readonly key: string
  readonly value: string | null
}

/** Random updates and deletes of these tables, over few keys and values so that they meet. */
export const updatesOf = (
  tables: Readonly<Record<string, { readonly keys: readonly string[]; readonly values: readonly string[] }>>,
): fc.Arbitrary<readonly Update[]> =>
  fc.array(
    fc.oneof(
      ...Object.entries(tables).map(([table, { keys, values }]) =>
        fc.record({
          table: fc.constant(table),
          key: fc.constantFrom(...keys),
          value: fc.option(fc.constantFrom(...values), { nil: null, freq: 3 }),
        }),
      ),
    ),
    { maxLength: 40 },
  )

/** The rows of each table as a plain map: what a naive model works on. */
export class NaiveTables {
  readonly #tables = new Map<string, Map<string, string>>()

  apply({ table, key, value }: Update): void {
    const rows = this.rows(table)
    if (value === null) rows.delete(key)
    else rows.set(key, value)
  }

  rows(table: string): Map<string, string> {
    const known = this.#tables.get(table) ?? new Map<string, string>()
    this.#tables.set(table, known)
    return known
  }
}

/** Follows what is written to a topic as a table. */
export const follow = <V>(
  rows: Map<string, V>,
  records: readonly { readonly key: string; readonly value: V | null }[],
): Map<string, V> => {
  for (const { key, value } of records)
    if (value === null) rows.delete(key)
    else rows.set(key, value)
  return rows
}

/** A map as sorted entries, to compare. */
export const sorted = <V>(rows: ReadonlyMap<string, V>): readonly (readonly [string, V])[] =>
  [...rows].toSorted(([left], [right]) => (left < right ? -1 : 1))
