import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { publicApiOf, type EntryPoint, type PublicApi } from './support/public-api.ts'

const folders: string[] = []

const temporaryFolder = (): string => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-declarations-')))
  folders.push(folder)
  return folder
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** The entry points of package.json. Users of the other two have `millrace` as well. */
const entryPoints: readonly EntryPoint[] = [
  { file: 'index.d.ts' },
  { file: 'testing/index.d.ts', besides: ['index.d.ts'] },
  { file: 'broker/index.d.ts', besides: ['index.d.ts'] },
]

describe('the public API', () => {
  const folder = temporaryFolder()
  const tsc = join('node_modules', 'typescript', 'bin', 'tsc')
  const emit = [
    '-p',
    'tsconfig.build.json',
    '--emitDeclarationOnly',
    '--sourceMap',
    'false',
    '--outDir',
    folder,
  ]
  execFileSync(process.execPath, [tsc, ...emit])
  const api = publicApiOf(folder, entryPoints)

  it('exports every type of its signatures', () => {
    expect(api.exports).toBeGreaterThan(100)
    expect(api.unexported).toEqual([])
  })

  it('has a docstring on every export', () => {
    expect(api.undocumented).toEqual([])
  })

  it('has an example for every function', () => {
    expect(api.withoutExample).toEqual([])
  })
})

describe('a planted violation', () => {
  const plant = (files: Readonly<Record<string, string>>): PublicApi => {
    const folder = temporaryFolder()
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    return publicApiOf(folder, [
      { file: 'index.d.ts' },
      { file: 'testing/index.d.ts', besides: ['index.d.ts'] },
    ])
  }

  const parts = `
    export interface Options { readonly nested: Nested }
    export interface Nested {}
    export interface Base {}
    export interface Given {}
    export interface Result {}
    export interface Argument {}
    export interface Secret {}
    export declare const modes: readonly Mode[]
    export interface Mode {}
  `

  it('is found in parameters, results, type arguments, heritage, aliases and inferred types', () => {
    const { unexported } = plant({
      'parts.d.ts': parts,
      'index.d.ts': `
        import type { Argument, Base, Given, modes, Options } from './parts.ts'
        export interface Exported extends Base { given(given: Given): Set<Argument> }
        export type Alias = { readonly options?: Options }
        export type ModeOf = (typeof modes)[number]
        export declare const make: () => import('./parts.ts').Result
      `,
      'testing/index.d.ts': 'export {}',
    })
    expect(unexported).toEqual([
      'Argument (parts.ts), used by Exported.given',
      'Base (parts.ts), used by Exported',
      'Given (parts.ts), used by Exported.given',
      'Mode (parts.ts), used by modes',
      'Nested (parts.ts), used by Options.nested',
      'Options (parts.ts), used by Alias.options',
      'Result (parts.ts), used by make',
    ])
  })

  it('is found in the constructor of a class that users can call', () => {
    const thing = `
      import type { Secret } from './parts.ts'
      export declare class Thing { constructor(secret: Secret) }
    `
    const found = (kind: string): readonly string[] =>
      plant({
        'parts.d.ts': parts,
        'thing.d.ts': thing,
        'index.d.ts': `export ${kind}{ Thing } from './thing.ts'`,
        'testing/index.d.ts': 'export {}',
      }).unexported
    expect(found('')).toEqual(['Secret (parts.ts), used by Thing'])
    expect(found('type ')).toEqual([])
  })

  it('is not found in what is private, internal or exported by millrace', () => {
    const { unexported } = plant({
      'parts.d.ts': parts,
      'index.d.ts': "export type { Given } from './parts.ts'",
      'testing/index.d.ts': `
        import type { Base, Given, Secret } from '../parts.ts'
        export declare class Thing implements Base {
          private secret: Secret
          /** @internal */
          readonly hidden: Secret
          given(given: Given): void
        }
      `,
    })
    expect(unexported).toEqual([])
  })

  it('is found where a docstring or an example is missing', () => {
    const { undocumented, withoutExample } = plant({
      'index.d.ts': `
        /** Documents the options alone. */
        export interface Options {}
        export declare class Thing {}
        /** Makes a thing. */
        export declare const make: () => Thing
        /**
         * Makes options.
         *
         * @example
         * makeOptions()
         */
        export declare function makeOptions(): Options
      `,
      'testing/index.d.ts': 'export {}',
    })
    expect(undocumented).toEqual(['Thing (index.ts)'])
    expect(withoutExample).toEqual(['make (index.ts)'])
  })
})
