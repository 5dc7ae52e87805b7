import type { SourceFile } from './imports.ts'
import { importCycles } from './imports.ts'
import type { Measured } from './measures.ts'
import {
  fileLengths,
  filesWith,
  functionLengths,
  mutableFields,
  percentile,
  roomImports,
} from './measures.ts'

/**
 * The tables of `npm run house`.
 *
 * - Lengths are in lines, comments and empty lines included. Half of the files or functions are at most `p50` long, 95 of
 *   100 at most `p95`. A callback counts as a part of the function it is written in.
 * - A mutable field is an instance field without `readonly`. A readonly field that holds a `Map` or an array is not one,
 *   although its contents change.
 * - A cell of the matrix is the number of import statements with which the files of the room on the left import the room
 *   above, type imports included.
 * - A cycle is a group of files of which every one reaches every other by imports, type imports included.
 * - Files per addition are the files whose code has the name of the addition as a whole word; comments do not count. A
 *   file that a new operator needs and that never names it is not found this way.
 */
export interface HouseTable {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/**
 * The operators and settings that were added last, the newest first; a later one takes the place of the last. All store
 * kinds came together: these two have names that mean nothing else.
 */
const additions: Readonly<Record<string, readonly string[]>> = {
  operator: ['pipeValues', 'transformValues', 'deduplicate'],
  'store kind': ['joinWindow', 'versioned'],
  setting: ['queryToken', 'queryMemberSecret', 'queryTls'],
}

const longestCount = 10

export const houseReport = (files: readonly SourceFile[], root: string): readonly HouseTable[] => {
  const lengths = { files: fileLengths(files), functions: functionLengths(files) }
  const fields = mutableFields(files)
  return [
    {
      title: 'Lengths',
      head: ['of', 'count', 'p50', 'p95', 'longest'],
      rows: [
        ['lines per file', ...spreadOf(lengths.files)],
        ['lines per function', ...spreadOf(lengths.functions)],
        ['mutable fields per class', ...spreadOf(fields)],
      ],
    },
    longest('Longest files', 'lines', lengths.files),
    longest('Longest functions', 'lines', lengths.functions),
    longest('Classes with most mutable fields', 'fields', fields),
    matrixOf(files, root),
    cyclesOf(files),
    {
      title: 'Files per addition',
      head: ['kind', 'addition', 'files'],
      rows: Object.entries(additions).flatMap(([kind, names]) =>
        names.map((name) => [kind, name, String(filesWith(files, name))]),
      ),
    },
  ]
}

const spreadOf = (measured: readonly Measured[]): readonly string[] =>
  [measured.length, percentile(measured, 0.5), percentile(measured, 0.95), percentile(measured, 1)].map(
    String,
  )

const longest = (title: string, unit: string, measured: readonly Measured[]): HouseTable => ({
  title,
  head: [unit, 'where'],
  rows: measured.slice(0, longestCount).map(({ name, count }) => [String(count), name]),
})

const matrixOf = (files: readonly SourceFile[], root: string): HouseTable => {
  const imports = roomImports(files, root)
  const rooms = [...imports.keys()].toSorted()
  return {
    title: 'Imports between rooms: the row imports the column',
    head: ['', ...rooms],
    rows: rooms.map((room) => [room, ...rooms.map((other) => String(imports.get(room)?.get(other) ?? '·'))]),
  }
}

const cyclesOf = (files: readonly SourceFile[]): HouseTable => {
  const cycles = importCycles(files)
  return {
    title: `Import cycles: ${cycles.length}`,
    head: ['files', 'which'],
    rows: cycles.map((cycle) => [String(cycle.length), cycle.join(' ')]),
  }
}
