import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bannedWordsIn } from './support/plain-words.ts'

const files = globSync([
  'README.md',
  'ARCHITECTURE.md',
  'docs/**/*.md',
  'topologies/**/*.ts',
  'src/**/*.{ts,md}',
])
  .map((path) => path.replaceAll('\\', '/'))
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }))

describe('plain English', () => {
  it('is what comments, messages, identifiers and docs are written in', () => {
    expect(files.length).toBeGreaterThan(250)
    expect(bannedWordsIn(files)).toEqual([])
  })
})

describe('a planted violation is found', () => {
  const plant = (text: string): string => bannedWordsIn([{ path: 'src/x.ts', text }]).join('\n')

  it.each([
    ['a word in a comment', '/** Tells the group to stop. */', '"tells"'],
    ['a word in an identifier', 'const tellStatus = 1', '"tell"'],
    ['a class that keeps', 'class PlanKeeper {}', '"keeper"'],
    ['a stored value by another name', 'type KeptValue = string', '"kept value"'],
    ['a phrase in a message', "message: 'it waits for ever'", '"for ever"'],
    ['a default in a docstring', '/** 16 unless given. */', '"unless given"'],
  ])('%s', (_what, text, expected) => {
    expect(plant(text)).toContain(expected)
  })

  it('names the place and what to write instead', () => {
    expect(plant('\n// Nobody reads it.')).toBe(
      'src/x.ts:2: "nobody"; write the component that does it, or the passive',
    )
  })

  it('and correct English is let pass', () => {
    expect(plant('// A connection is kept alive, and a store keeps its rows.')).toBe('')
  })
})
