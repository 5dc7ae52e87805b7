import { utf8Decode } from '../../../src/base/bytes.ts'
import type { RecordColumns } from '../../../src/topic/record-columns.ts'
import { decodeHeaders } from '../../../src/topic/record-columns.ts'

/** A record with its parts as text. */
export interface TextRow {
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [string, string | null])[]
}

export const rowsOf = ({ columns }: { readonly columns: RecordColumns }): readonly TextRow[] =>
  Array.from({ length: columns.count }, (_, row) => ({
    offset: columns.offsets[row] as number,
    timestamp: columns.timestamps[row] as number,
    key: textAt(columns, columns.keyStarts[row] as number, columns.keyEnds[row] as number),
    value: textAt(columns, columns.valueStarts[row] as number, columns.valueEnds[row] as number),
    headers: decodeHeaders(columns, row).map(([name, value]) => [
      name,
      value === null ? null : utf8Decode(value),
    ]),
  }))

export const valuesOf = (rows: readonly TextRow[]): readonly (string | null)[] =>
  rows.map(({ value }) => value)

const textAt = ({ buffer }: RecordColumns, start: number, end: number): string | null =>
  start < 0 ? null : utf8Decode(buffer, start, end)
