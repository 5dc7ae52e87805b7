import { globSync, readFileSync } from 'node:fs'
import * as rxjs from 'rxjs'
import { expect, it, vi } from 'vitest'
import { settingsSchema } from '../../src/app/settings.ts'
import { runCommand } from '../../src/cli/program.ts'
import { TOPIC_CONFIGS } from '../../src/broker/topic/topic-configs.ts'

/** Every setting, flag and command that a message of `src/` names exists: a remedy that does not is worse than none. */
interface Sentence {
  readonly file: string
  readonly text: string
}

const literal = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g
const comment = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm

/** The sentences of the program; what a template fills in becomes `…`. */
const sentences: readonly Sentence[] = globSync('src/**/*.ts').flatMap((file) =>
  [...readFileSync(file, 'utf8').replaceAll(comment, '').matchAll(literal)]
    .map((match) => (match[1] ?? match[2] ?? match[3] ?? '').replaceAll(/\$\{[^}]*\}/g, '…'))
    .filter((text) => /\S \S/.test(text))
    .map((text) => ({ file, text })),
)

const namesIn = (pattern: RegExp): readonly (readonly [string, string])[] =>
  sentences.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)].map((match) => [match[1] ?? '', `${file}: ${text}`] as const),
  )

const helpOf = async (...args: readonly string[]): Promise<string> => {
  const written: string[] = []
  const stdout = vi
    .spyOn(process.stdout, 'write')
    .mockImplementation((text) => written.push(String(text)) > 0)
  await runCommand([...args, '--help'])
  stdout.mockRestore()
  return written.join('')
}

const commandsIn = (help: string): readonly string[] =>
  [...help.slice(help.indexOf('Commands:')).matchAll(/^ {2}([a-z]+)/gm)]
    .map(([, name]) => name as string)
    .filter((name) => name !== 'help')

const flagsIn = (text: string): readonly string[] =>
  [...text.matchAll(/--([a-z][a-z-]*[a-z])/g)].map(([flag]) => flag)

const help = new Map<string, string>()
for (const command of commandsIn(await helpOf())) help.set(command, await helpOf(command))

/** What an author can write: settings and policies, exports, operators, and the properties of options. */
const known = new Set([
  ...Object.keys(rxjs),
  ...settingsSchema.shape.processingFailure.unwrap().options,
  ...settingsSchema.shape.uncaughtFailure.unwrap().options,
  ...Object.keys(settingsSchema.shape),
  ...['src/index.ts', 'src/testing/index.ts', 'src/broker/index.ts', 'src/broker/settings.ts'].flatMap(
    (file) => [...readFileSync(file, 'utf8').matchAll(/\w+/g)].map(([name]) => name),
  ),
  ...globSync(
    'src/{dsl,saga,topic,testing}/*.ts,src/topology/{processor,store-definition,node}.ts,src/task/failure-handler.ts,src/app/{start,start-threads,replay,reset,topic-client}.ts'.split(
      /,(?=src)/,
    ),
  ).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^ {2}(?:readonly |async |abstract )*(\w+)[?<(:]/gm)].map(
      ([, name]) => name as string,
    ),
  ),
])

it('each command that a message names exists', () => {
  expect(help.size).toBeGreaterThan(10)
  const named = namesIn(/(?:^|[:`( ]|run )millrace ([a-z]+) (?=--|[A-Z…])/g)
  expect(named.length).toBeGreaterThan(3)
  expect(named.filter(([command]) => !help.has(command))).toEqual([])
})

it('each flag that a message names exists, and belongs to the command it is given to', () => {
  const all = new Set([...help.values()].flatMap(flagsIn))
  const strange = sentences.filter(({ text }) => {
    const command = /millrace ([a-z]+) (?=--|[A-Z…])/.exec(text)?.[1]
    const flags = new Set(command === undefined ? all : flagsIn(help.get(command) ?? ''))
    return flagsIn(text).some((flag) => !flags.has(flag) && !process.allowedNodeEnvironmentFlags.has(flag))
  })
  expect(strange).toEqual([])
})

it('each setting that a message says to change exists', () => {
  const verbs = 'set|raise|lower|choose|shorten|declare|give|commit|or|and|to'
  const named = namesIn(new RegExp(`(?<=(?:^|[ ;,])(?:${verbs}) )([a-z]+(?:[A-Z][a-z]+)+)\\b`, 'g'))
  expect(named.map(([name]) => name)).toEqual(expect.arrayContaining(['maxRequestSize', 'autoOffsetReset']))
  expect(named.filter(([name]) => !known.has(name))).toEqual([])
})

it('each configuration of a topic that a message names exists', () => {
  const named = namesIn(
    /(?<![\w.])((?:max|min|segment|retention|cleanup|message|delete)\.[a-z]+(?:\.[a-z]+)*)\b/g,
  )
  expect(named.length).toBeGreaterThan(2)
  expect(named.filter(([name]) => !TOPIC_CONFIGS.has(name))).toEqual([])
})
