import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { describe, expect, it } from 'vitest'

/** What the documents show is run as it stands there, and type-checked; what docstrings show is at least TypeScript. */
const blocksOf = (document: string): readonly string[] =>
  [...readFileSync(document, 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code as string)

const directory = `${process.cwd()}/.cache/docs`
mkdirSync(directory, { recursive: true })
const programOf = (name: string, code: string): string => {
  const file = `${directory}/${name}.ts`
  writeFileSync(file, `${code}\nexport {}\n`)
  return file
}

/** Each example about tests stands for itself; those about queries and about running are one program each, told piece by piece. */
const files = [
  ...blocksOf('docs/testing.md').map((code, index) => programOf(`testing-${index + 1}`, code)),
  ...['queries', 'running'].map((name) => programOf(name, blocksOf(`docs/${name}.md`).join('\n'))),
]

describe('the examples of docs/testing.md, docs/queries.md and docs/running.md', () => {
  it.each(files)('%s runs', async (file) => {
    await import(/* @vite-ignore */ file)
  })

  it('type-checks', () => {
    const project = `${directory}/tsconfig.json`
    writeFileSync(
      project,
      JSON.stringify({
        extends: '../../tsconfig.json',
        include: ['./testing-*.ts', './queries.ts', './running.ts'],
      }),
    )
    const check = (): string =>
      execFileSync('node_modules/.bin/tsc', ['--noEmit', '--project', project], { encoding: 'utf8' })
    expect(check).not.toThrow()
  })
})

/** The code below each `@example`, up to the next tag or the end of the docstring. */
const examplesOf = (text: string): readonly string[] =>
  [...text.matchAll(/^( *)\* @example\n([\s\S]*?)(?=^ *\* @|^ *\*\/)/gm)].map(([, , body]) =>
    (body as string).replaceAll(/^ *\* ?/gm, ''),
  )

const shown = globSync('src/{dsl,saga,topology,testing,broker,app,topic,base}/*.ts').flatMap((file) =>
  examplesOf(readFileSync(file, 'utf8')).map((code) => ({ file, code })),
)

it('every example of a docstring is TypeScript', () => {
  expect(shown.length).toBeGreaterThan(40)
  const wrong = shown.filter(({ code }) => {
    try {
      stripTypeScriptTypes(
        `const example = async () => {\n${code.replaceAll(/^import .*$|^export (?=const)/gm, '')}\n}`,
      )
      return false
    } catch {
      return true
    }
  })
  expect(wrong).toEqual([])
})
