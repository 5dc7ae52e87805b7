import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { houseReport } from '../../scripts/house-report.ts'
import {
  fileLengths,
  filesWith,
  functionLengths,
  mutableFields,
  percentile,
  roomImports,
} from '../../scripts/measures.ts'

const files = [
  {
    path: 'planted/base/counter.ts',
    text: `import type { Store } from '../state/store.ts'

/** A comment that names pipeValues. */
export class Counter {
  readonly #limits = new Map<string, number>()
  static shared: Counter | undefined
  #count = 0
  name: string
  onChange = (): void => {
    this.#count++
  }

  constructor(name: string) {
    this.name = name
  }

  get count(): number {
    return this.#count
  }

  add(by: number): void
  add(by: number, store?: Store): void {
    store?.each((value) => {
      this.#count += by * value
    })
  }
}
`,
  },
  {
    path: 'planted/state/store.ts',
    text: `import { Counter } from '../base/counter.ts'
import { sum } from './sum.ts'

export interface Store {
  each(use: (value: number) => void): void
}

export const pipeValues = (counter: Counter): number => sum(counter.count)
`,
  },
  {
    path: 'planted/state/sum.ts',
    text: 'export function sum(...numbers: number[]): number {\n  return numbers[0] ?? 0\n}\n',
  },
  {
    path: 'planted/index.ts',
    text: "export { sum } from './state/sum.ts'\nexport { pipeValues } from './state/store.ts'\n",
  },
]

describe('the measures of the house', () => {
  it('count the lines of files', () => {
    expect(fileLengths(files)).toEqual([
      { name: 'planted/base/counter.ts', count: 27 },
      { name: 'planted/state/store.ts', count: 8 },
      { name: 'planted/state/sum.ts', count: 3 },
      { name: 'planted/index.ts', count: 2 },
    ])
  })

  it('count the lines of named functions, callbacks within them, and neither overloads nor signatures', () => {
    expect(functionLengths(files)).toEqual([
      { name: 'planted/base/counter.ts add', count: 5 },
      { name: 'planted/base/counter.ts onChange', count: 3 },
      { name: 'planted/base/counter.ts constructor', count: 3 },
      { name: 'planted/base/counter.ts count', count: 3 },
      { name: 'planted/state/sum.ts sum', count: 3 },
      { name: 'planted/state/store.ts pipeValues', count: 1 },
    ])
  })

  it('count the instance fields that are not readonly', () => {
    expect(mutableFields(files)).toEqual([{ name: 'planted/base/counter.ts Counter', count: 3 }])
  })

  it('count the imports between rooms, type imports included, and none within a room', () => {
    expect(roomImports(files, 'planted')).toEqual(
      new Map([
        ['base', new Map([['state', 1]])],
        ['state', new Map([['base', 1]])],
        ['(top)', new Map([['state', 2]])],
      ]),
    )
  })

  it('count the files whose code has a word, comments aside', () => {
    expect(filesWith(files, 'pipeValues')).toBe(2)
    expect(filesWith(files, 'pipeValue')).toBe(0)
  })

  it('take percentiles from the counts themselves', () => {
    const counts = [4, 1, 3, 2].map((count) => ({ name: '', count }))
    expect([0.5, 0.75, 0.95, 1].map((share) => percentile(counts, share))).toEqual([2, 3, 4, 4])
    expect(percentile([], 0.5)).toBe(0)
  })

  it('are the rows of the report', () => {
    const [lengths, , , , matrix, cycles, perAddition] = houseReport(files, 'planted')
    expect(lengths?.rows).toEqual([
      ['lines per file', '4', '3', '27', '27'],
      ['lines per function', '6', '3', '5', '5'],
      ['mutable fields per class', '1', '3', '3', '3'],
    ])
    expect(matrix?.head).toEqual(['', '(top)', 'base', 'state'])
    expect(matrix?.rows).toEqual([
      ['(top)', '·', '·', '2'],
      ['base', '·', '·', '1'],
      ['state', '·', '1', '·'],
    ])
    expect(cycles).toMatchObject({
      title: 'Import cycles: 1',
      rows: [['2', 'planted/base/counter.ts planted/state/store.ts']],
    })
    expect(perAddition?.rows).toContainEqual(['operator', 'pipeValues', '2'])
  })

  it('name additions that exist', () => {
    const { stdout } = spawnSync(process.execPath, ['scripts/house.ts'], { encoding: 'utf8' })
    const rows = stdout.slice(stdout.indexOf('Files per addition')).match(/\| (\d+) +\|$/gm)
    expect(rows).toHaveLength(8)
    expect(rows?.some((row) => /\| 0 /.test(row))).toBe(false)
  })
})
