import { existsSync, globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const page = 'docs/adding.md'

/** The name of each example in source text; it must be rare enough to find what belongs to the example and nothing else. */
const examples: Readonly<Record<string, RegExp>> = {
  'An operator': /\bdeduplicate\b/,
  'A setting': /\brepartitionPurgeIntervalMs\b/,
  'A command': /\bgroupsCommand\b/,
  'A broker API': /\bdescribeProducers(Api|Schema)\b/,
  'A metric': /\bproducedRecords\b/,
  'A store': /\bjoinWindow\b|\bMemoryJoinWindowStore\b/,
}

const sections = new Map(
  readFileSync(page, 'utf8')
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [title = '', ...lines] = section.split('\n')
      return [title, lines.join('\n')] as const
    }),
)

const listed = (title: string): readonly string[] =>
  [...(sections.get(title) ?? '').matchAll(/^- `([^`]+)`:/gm)].map(([, path = '']) => path)

const searched = [...globSync('src/**/*.ts'), ...globSync('docs/*.md')]
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path !== page)
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }))

describe.each(Object.entries(examples))('docs/adding.md, "%s"', (title, name) => {
  it('names files that exist', () => {
    expect(listed(title).length).toBeGreaterThan(3)
    expect(listed(title).filter((path) => !existsSync(path))).toEqual([])
  })

  it('names every file of src/ and docs/ that contains the example, and no other', () => {
    const found = searched.filter(({ text }) => name.test(text)).map(({ path }) => path)
    const claimed = listed(title).filter((path) => /^(src|docs)\//.test(path))
    expect(claimed.toSorted()).toEqual(found.toSorted())
  })
})

it('every file that docs/adding.md names exists', () => {
  const paths = [...readFileSync(page, 'utf8').matchAll(/`((?:src|test|docs)\/[\w./-]+\.\w+)`/g)].map(
    ([, path = '']) => path,
  )
  expect(paths.filter((path) => !existsSync(path))).toEqual([])
})
