import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/kafka-streams-formats.md'), 'utf8')
const rows = page.split('\n').filter((line) => line.startsWith('| `'))
const namesIn = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string)

it('names every recording that the tests hold', () => {
  const listed = rows.map((row) => namesIn(row)[0])
  const held = readdirSync(join(root, 'test/wire-formats/data')).map((file) => basename(file, '.json'))
  expect(held.filter((name) => !listed.includes(name))).toEqual([])
  expect(new Set(listed).size).toBe(listed.length)
})

it('names tests that exist and that speak of their recording, or gives a reason', () => {
  for (const row of rows) {
    const [recording, ...others] = namesIn(row)
    const tests = others.filter((name) => name.startsWith('test/'))
    if (tests.length === 0) expect(row, recording).toContain('not reproduced')
    for (const test of tests) {
      expect(existsSync(join(root, test)), test).toBe(true)
      if (test.startsWith('test/wire-formats') && !test.endsWith('joins.test.ts'))
        expect(readFileSync(join(root, test), 'utf8'), `${test} on ${recording}`).toContain(recording)
    }
  }
})
