import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { importCycles } from '../scripts/imports.ts'
import { handleFiles, rooms, unnamedProcessTests, violationsIn } from './support/tidy-rules.ts'

const files = globSync(['src/**/*.ts', 'topologies/**/*.ts', 'config/**/*.ts', 'scripts/**/*.ts']).map(
  (path) => ({
    path: path.replaceAll('\\', '/'),
    text: readFileSync(path, 'utf8'),
  }),
)

describe('the house is tidy', () => {
  it('keeps the rules of its rooms', () => {
    expect(files.length).toBeGreaterThan(50)
    expect(violationsIn(files)).toEqual([])
  })

  it('has a room table whose imports point one way', () => {
    const order = Object.keys(rooms)
    for (const [name, { rooms: imported }] of Object.entries(rooms))
      for (const each of imported)
        expect(order.indexOf(each), `${name} → ${each}`).toBeLessThan(order.indexOf(name))
  })

  it('has one import cycle, of the types of the fluent handles, and names exactly its files', () => {
    expect(importCycles(files)).toEqual([[...handleFiles].toSorted()])
  })
})

describe('tests that start processes', () => {
  it('have names that end in .process.test.ts', () => {
    const tests = globSync('test/**/*.ts').map((path) => ({
      path: path.replaceAll('\\', '/'),
      text: readFileSync(path, 'utf8'),
    }))
    expect(unnamedProcessTests(tests)).toEqual([])
  })

  it('are found where they start one themselves or through a helper', () => {
    const helper = { path: 'test/support/run.ts', text: "import { spawn } from 'node:child_process'" }
    const byHelper = "import { run } from './support/run.ts'"
    expect(
      unnamedProcessTests([
        helper,
        { path: 'test/a.test.ts', text: byHelper },
        { path: 'test/b.test.ts', text: "import { fork } from 'node:child_process'" },
        { path: 'test/c.process.test.ts', text: byHelper },
        { path: 'test/d.kafka.test.ts', text: byHelper },
        { path: 'test/e.test.ts', text: "import type { Running } from './support/run.ts'" },
      ]),
    ).toEqual(['test/a.test.ts', 'test/b.test.ts'])
  })
})

describe('a planted violation is found', () => {
  const plant = (path: string, text: string): readonly string[] => violationsIn([{ path, text }])

  it.each([
    [
      'an import that points back',
      'src/base/x.ts',
      "import { topic } from '../topic/topic.ts'",
      'may not import room',
    ],
    [
      'a type import that points back',
      'src/topic/x.ts',
      "import type { Task } from '../task/task.ts'",
      'may not import room',
    ],
    ['a package of another room', 'src/task/x.ts', "import { open } from 'lmdb'", 'may not import package'],
    ['a value import where types are allowed', 'src/dsl/x.ts', "import { map } from 'rxjs'", '(as a value)'],
    [
      'a node module in the engine',
      'src/topic/x.ts',
      "import { readFileSync } from 'node:fs'",
      'runs in a browser',
    ],
    ['a dynamic import', 'src/base/x.ts', "const x = await import('rxjs')", 'may not import package'],
    ['a room that is not in the table', 'src/attic/x.ts', 'export const x = 1', 'no room'],
    ['the wall clock', 'src/task/x.ts', 'const now = Date.now()', 'reads the clock'],
    ['the monotonic clock of Node', 'src/task/x.ts', 'const now = performance.now()', 'reads the clock'],
    ['a high-resolution time', 'src/task/x.ts', 'const now = process.hrtime.bigint()', 'reads the clock'],
    ['a time limit of Node', 'src/task/x.ts', 'const signal = AbortSignal.timeout(5)', 'reads the clock'],
    [
      'a duration by the time of day',
      'src/kafka/retry.ts',
      'const deadlineMs = clock.now() + timeoutMs',
      'durations use clock.monotonicMs()',
    ],
    [
      'one more reading in a file that may have some',
      'src/task/task.ts',
      'const beganMs = this.#context.host.clock.now()\nconst tookMs = clock.now() - beganMs',
      'reads the time of day 2 times, not 1',
    ],
    [
      'a time of day taken out of its clock',
      'src/kafka/retry.ts',
      'const { now, setTimer } = this.#clock',
      'takes `now` out of a clock',
    ],
    [
      'a file that others may read',
      'src/state/x.ts',
      "writeFileSync(file, 'text')",
      'writes a file that others may read',
    ],
    ['output of a command', 'src/cli/x.ts', 'console.log(name)', 'prints past src/cli/terminal.ts'],
    ['chance', 'src/task/x.ts', 'const x = Math.random()', 'random'],
    ['the environment', 'src/app/x.ts', 'const x = process.env.HOME', 'reads the environment'],
    ['a list spread over arguments', 'src/task/x.ts', 'all.push(...more)', 'overflow the stack'],
    ['a list among arguments', 'src/task/x.ts', 'all.splice(0, all.length, ...more)', 'overflow the stack'],
    ['any', 'src/task/x.ts', 'const x = y as any', 'says any'],
    ['a barrel', 'src/task/x.ts', "export { Task } from './task.ts'\nexport * from './ports.ts'", 'a barrel'],
    ['a name that is not kebab-case', 'src/task/taskRunner.ts', 'export const x = 1', 'kebab-case'],
    [
      'a topology that reaches behind the door',
      'topologies/x.ts',
      "import { Task } from '../src/task/task.ts'",
      'front door',
    ],
  ])('%s', (_what, path, text, expected) => {
    expect(plant(path, text).join('\n')).toContain(expected)
  })

  it('an import cycle, type imports included', () => {
    const cycle = [
      {
        path: 'src/task/x.ts',
        text: "import type { Y } from './y.ts'\nexport interface X { readonly y: Y }",
      },
      { path: 'src/task/y.ts', text: "import { z } from './z.ts'\nexport type Y = typeof z" },
      { path: 'src/task/z.ts', text: "import type { X } from './x.ts'\nexport const z = (x: X): X => x" },
      { path: 'src/task/w.ts', text: "import { z } from './z.ts'\nexport const w = z" },
    ]
    expect(violationsIn(cycle)).toEqual([
      'src/task/x.ts, src/task/y.ts, src/task/z.ts: import each other in a cycle; move what they share to a file below them',
    ])
    expect(violationsIn(cycle.slice(1))).toEqual([])
  })

  it('an import cycle that a handle of the DSL is part of, where another file is too', () => {
    const cycle = [
      {
        path: 'src/dsl/stream.ts',
        text: "import type { Graph } from './graph.ts'\nexport type Stream = Graph",
      },
      {
        path: 'src/dsl/graph.ts',
        text: "import type { Stream } from './stream.ts'\nexport type Graph = Stream",
      },
    ]
    expect(violationsIn(cycle)).toEqual([expect.stringContaining('src/dsl/graph.ts, src/dsl/stream.ts')])
  })

  it('and a clean file is let pass', () => {
    expect(plant('src/dsl/x.ts', "import type { OperatorFunction } from 'rxjs'\nexport const x = 1")).toEqual(
      [],
    )
    expect(plant('topologies/x.ts', "import { topic } from 'millrace'\nexport const x = 1")).toEqual([])
  })
})
