import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** What the documents show is run as it stands there, and type-checked; what docstrings show is type-checked. */
const blocksOf = (document: string): readonly string[] =>
  [...readFileSync(document, 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code as string)

const directory = `${process.cwd()}/.cache/docs`
mkdirSync(directory, { recursive: true })
const programOf = (name: string, code: string): string => {
  const file = `${directory}/${name}.ts`
  writeFileSync(file, `${code}\nexport {}\n`)
  return file
}

/** What the compiler says of these files; nothing where they are right. */
const errorsOf = (name: string, include: readonly string[]): string => {
  const project = `${directory}/tsconfig.${name}.json`
  const compilerOptions = {
    noEmit: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
    verbatimModuleSyntax: false,
  }
  writeFileSync(project, JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include }))
  const { stdout, stderr } = spawnSync('node_modules/.bin/tsc', ['--project', project], { encoding: 'utf8' })
  return `${stdout}${stderr}`
}

/** Each example about tests and operators is a program; those about queries and those about running are parts of one program each. */
const files = [
  ...['testing', 'rxjs'].flatMap((name) =>
    blocksOf(`docs/${name}.md`).map((code, index) => programOf(`${name}-${index + 1}`, code)),
  ),
  ...['queries', 'running'].map((name) => programOf(name, blocksOf(`docs/${name}.md`).join('\n'))),
]

describe('the examples of docs/testing.md, docs/rxjs.md, docs/queries.md and docs/running.md', () => {
  it.each(files)('%s runs', async (file) => {
    await import(/* @vite-ignore */ file)
  })

  it('type-checks', () => {
    expect(errorsOf('documents', ['./testing-*.ts', './queries.ts', './running.ts'])).toBe('')
  })
})

/** The code below each `@example`, up to the next tag or the end of the docstring. */
const examplesOf = (text: string): readonly string[] =>
  [...text.matchAll(/^( *)\* @example\n([\s\S]*?)(?=^ *\* @|^ *\*\/)/gm)].map(([, , body]) =>
    (body as string).replaceAll(/^ *\* ?/gm, ''),
  )

const doors = {
  millrace: 'src/index.ts',
  'millrace/testing': 'src/testing/index.ts',
  'millrace/broker': 'src/broker/index.ts',
}

/** What a file exports, by its text: what is a type alone is in no module that runs. */
const exportsOf = (file: string): readonly string[] => {
  const text = readFileSync(file, 'utf8')
  const listed = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names]) =>
    (names as string).split(','),
  )
  const declared = [
    ...text.matchAll(/^export (?:declare )?(?:abstract )?(?:const|class|function|interface|type) (\w+)/gm),
  ]
  const spaces = [...text.matchAll(/^export \* as (\w+)/gm)]
  return [...listed, ...[...declared, ...spaces].map(([, name]) => name as string)]
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

const worlds = 'test/docs/worlds'
/** What `orders` is depends on the room that speaks of it. */
const worldOf = (file: string): readonly string[] => {
  if (/dsl\/(?:table|grouped-table|suppression)/.test(file)) return ['tables', 'topics']
  return /operators\/|dsl\/(?!builder|processor-stores|timestamp)/.test(file)
    ? ['streams', 'topics']
    : ['topics']
}

/** A module in which an example stands within a function, with imports of what it uses: its own names come first. */
const moduleOf = (file: string, code: string): string => {
  const [world, ...base] = worldOf(file) as readonly [string, ...string[]]
  const sources = new Map<string, readonly string[]>([
    [`../../../${worlds}/${world}.ts`, [world, ...base].flatMap((each) => exportsOf(`${worlds}/${each}.ts`))],
    [`../../../${file}`, exportsOf(file)],
    ...Object.entries(doors).map(([door, index]) => [door, exportsOf(index)] as const),
  ])
  const imports: string[] = code.match(/^import .*$/gm) ?? []
  const body = code.replaceAll(/^import .*$|^export (?=const)/gm, '')
  const known = new Set([...imports.join().matchAll(/\w+/g)].map(([name]) => name))
  const used = new Set([...body.matchAll(/(?<![.\w'])[A-Za-z]\w*/g)].map(([name]) => name))
  for (const [source, names] of sources) {
    const wanted = [...new Set(names)].filter((name) => used.has(name) && !known.has(name))
    for (const name of wanted) known.add(name)
    if (wanted.length > 0) imports.push(`import { ${wanted.join(', ')} } from '${source}'`)
  }
  return `${imports.join('\n')}\nexport const example = async (): Promise<void> => {\n${body}\n}\n`
}

const shown = globSync(
  'src/{dsl,operators,saga,topology,testing,broker,app,app/{observe,queries},topic,base}/*.ts',
).flatMap((file) =>
  examplesOf(readFileSync(file, 'utf8')).map((code, index) => ({
    file,
    code,
    name: `${file.replaceAll(/[/.]/g, '-')}-${index + 1}`,
  })),
)

it('every example of a docstring type-checks', () => {
  expect(shown.length).toBeGreaterThan(60)
  const folder = `${directory}/examples`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const { file, code, name } of shown) writeFileSync(`${folder}/${name}.ts`, moduleOf(file, code))
  expect(errorsOf('examples', ['./examples/*.ts'])).toBe('')
})
