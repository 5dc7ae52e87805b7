import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { describe, expect, it } from 'vitest'

/** What the documents show is run as it stands there, and type-checked; what docstrings show is at least TypeScript. */
const blocks = [...readFileSync('docs/testing.md', 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(
  ([, code]) => code as string,
)
const directory = `${process.cwd()}/.cache/docs`
mkdirSync(directory, { recursive: true })
const files = blocks.map((code, index) => {
  const file = `${directory}/testing-${index + 1}.ts`
  writeFileSync(file, `${code}\nexport {}\n`)
  return file
})

describe('docs/testing.md', () => {
  it.each(files)('%s runs', async (file) => {
    await import(/* @vite-ignore */ file)
  })

  it('type-checks', () => {
    const project = `${directory}/tsconfig.json`
    writeFileSync(project, JSON.stringify({ extends: '../../tsconfig.json', include: ['./testing-*.ts'] }))
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
