import type { Import, SourceFile } from '../../scripts/imports.ts'
import { importCycles, importsOf, resolveImport, withoutComments } from '../../scripts/imports.ts'

/**
 * The rules of the house as data and functions over source text, so that a test can hold the house to them and plant a
 * violation to see that they bite.
 */
interface Room {
  /** The rooms it may import, beside itself. */
  readonly rooms: readonly string[]
  /** The packages it may import; `types:` in front allows type imports only. */
  readonly packages: readonly string[]
  /** True where the room must run in a browser, so that no `node:` module is imported. */
  readonly browser: boolean
}

/** The room table of ARCHITECTURE.md. A room comes after everything it imports. */
export const rooms: Readonly<Record<string, Room>> = {
  base: { rooms: [], packages: [], browser: true },
  files: { rooms: ['base'], packages: [], browser: false },
  topic: { rooms: ['base'], packages: ['zod'], browser: true },
  operators: { rooms: ['base', 'topic'], packages: ['rxjs'], browser: true },
  topology: { rooms: ['base', 'topic'], packages: ['types:rxjs'], browser: true },
  dsl: { rooms: ['base', 'topic', 'topology'], packages: ['types:rxjs', 'types:zod'], browser: true },
  saga: { rooms: ['base', 'topic', 'topology', 'dsl'], packages: ['types:zod'], browser: true },
  state: { rooms: ['base', 'files', 'topic', 'topology'], packages: ['lmdb'], browser: false },
  task: { rooms: ['base', 'topic', 'topology', 'state'], packages: ['rxjs'], browser: true },
  kafka: { rooms: ['base', 'topic'], packages: ['@platformatic/kafka'], browser: false },
  runtime: {
    rooms: ['base', 'files', 'topic', 'topology', 'dsl', 'saga', 'state', 'task', 'kafka'],
    packages: ['rxjs'],
    browser: false,
  },
  broker: { rooms: ['base', 'files'], packages: [], browser: false },
  testing: {
    rooms: ['base', 'topic', 'topology', 'dsl', 'saga', 'state', 'task', 'kafka', 'runtime', 'broker'],
    packages: ['rxjs', 'types:vitest'],
    browser: true,
  },
  app: {
    rooms: [
      'base',
      'files',
      'topic',
      'topology',
      'dsl',
      'saga',
      'state',
      'task',
      'kafka',
      'runtime',
      'broker',
    ],
    packages: ['zod', 'fastify', 'rxjs'],
    browser: false,
  },
  dashboard: { rooms: ['base', 'topology', 'app'], packages: ['fastify'], browser: false },
  cli: {
    rooms: ['base', 'topic', 'topology', 'kafka', 'app', 'broker', 'dashboard'],
    packages: ['commander', 'zod'],
    browser: false,
  },
}

/** Files at the root of `src/` are doors: they may import any room. */
const doors = new Set(['src/index.ts'])
/** The only files whose whole purpose is to hand on what others hold. */
const barrels = new Set(['src/index.ts', 'src/testing/index.ts', 'src/broker/index.ts'])
const printers = new Set(['src/cli/terminal.ts', 'src/cli/consume.ts'])
const clockFile = 'src/base/system-clock.ts'

/**
 * How often each file reads the time of day, which steps when the machine's clock is set. It is for timestamps that records
 * carry, and that people, disks and other processes read. Every duration and deadline uses `clock.monotonicMs()`.
 */
const wallClockReadings: Readonly<Record<string, number>> = {
  // Record times, their extractors and the bound of times ahead of the clock.
  'src/task/record-queue.ts': 2,
  'src/task/nodes/process.ts': 3,
  'src/app/topic-client.ts': 1,
  'src/app/observe/topic-publisher.ts': 1,
  'src/cli/produce.ts': 1,
  'src/broker/api/produce.ts': 1,
  'src/broker/broker.ts': 1,
  // Wall-clock punctuation, and the test driver's way from one due time to the next.
  'src/task/task.ts': 1,
  'src/testing/test-driver.ts': 5,
  // When state was last up to date, which is stored with it.
  'src/runtime/changelog-check.ts': 1,
  'src/runtime/standby-tasks.ts': 1,
  'src/runtime/task-state-manager.ts': 1,
  'src/runtime/task-factory.ts': 1,
  'src/state/open-lmdb-stores.ts': 1,
  // The same, and times of files.
  'src/runtime/idle-state.ts': 3,
  'src/app/abandoned-slots.ts': 1,
  'src/app/disk-task-folders.ts': 1,
  'src/files/claim.ts': 2,
  // Times and names that people read, and offsets by a duration before now.
  'src/runtime/stream-thread.ts': 1,
  'src/app/logger.ts': 1,
  'src/app/reset.ts': 1,
  'src/cli/replay.ts': 1,
  'src/broker/transaction/coordinator.ts': 2,
}
const environmentFile = 'src/app/environment.ts'

/** Every violation of the house's rules in these files, each naming the file and the rule. */
export const violationsIn = (files: readonly SourceFile[]): readonly string[] => [
  ...files.flatMap(violationsOf),
  ...cycleViolations(files),
]

/**
 * The one cycle there is, of type imports alone: a stream has methods that return tables and a table has methods that
 * return streams, so their types refer to each other. TypeScript can declare such types in several files only by
 * imports in both directions.
 */
export const handleFiles: ReadonlySet<string> = new Set(
  [
    'cogrouped-stream',
    'deduplicate',
    'grouped-stream',
    'grouped-table',
    'handles',
    'side-outputs',
    'split',
    'stream',
    'stream-joins',
    'table',
    'windowed-aggregate',
    'windowed-stream',
  ].map((name) => `src/dsl/${name}.ts`),
)

const cycleViolations = (files: readonly SourceFile[]): readonly string[] =>
  importCycles(files.filter(({ path }) => path.startsWith('src/')))
    .filter((cycle) => !cycle.every((path) => handleFiles.has(path)))
    .map(
      (cycle) =>
        `${cycle.join(', ')}: import each other in a cycle; move what they share to a file below them`,
    )

const violationsOf = (file: SourceFile): readonly string[] => [
  ...importViolations(file),
  ...textViolations(file),
  ...nameViolations(file),
]

const importViolations = (file: SourceFile): readonly string[] => {
  const [top, room] = file.path.split('/')
  const imports = importsOf(file.text)
  if (top === 'topologies') return imports.flatMap((each) => topologyViolation(file.path, each))
  if (top !== 'src' || doors.has(file.path)) return []
  const rules = rooms[room ?? '']
  if (rules === undefined) return [`${file.path}: '${room}' is no room of the table`]
  return imports.flatMap((each) => roomViolation(file.path, room as string, rules, each))
}

const roomViolation = (
  path: string,
  room: string,
  rules: Room,
  { from, typeOnly }: Import,
): readonly string[] => {
  if (from.startsWith('node:'))
    return rules.browser ? [`${path}: room '${room}' runs in a browser and may not import ${from}`] : []
  if (from.startsWith('.')) {
    const target = resolveImport(path, from).split('/')[1] as string
    return target === room || rules.rooms.includes(target)
      ? []
      : [`${path}: room '${room}' may not import room '${target}'`]
  }
  const name = packageOf(from)
  if (rules.packages.includes(name) || (typeOnly && rules.packages.includes(`types:${name}`))) return []
  return [`${path}: room '${room}' may not import package '${name}'${typeOnly ? '' : ' (as a value)'}`]
}

/** A program of the order system imports the front door, its contracts and the standard library, and nothing else. */
const topologyViolation = (path: string, { from }: Import): readonly string[] => {
  const allowed =
    ['millrace', 'millrace/testing', 'millrace/broker', 'zod', 'rxjs'].includes(from) ||
    from.startsWith('node:') ||
    (from.startsWith('.') && /^(topologies|config)\//.test(resolveImport(path, from)))
  return allowed ? [] : [`${path}: a topology imports only the front door, not '${from}'`]
}

const textViolations = ({ path, text }: SourceFile): readonly string[] => {
  if (!path.startsWith('src/') && !path.startsWith('topologies/')) return []
  const code = withoutComments(text)
  const rules: readonly (readonly [RegExp, boolean, string])[] = [
    [
      // The idle timeout of a socket is Node's own.
      /\bDate\.now\b|\bnew Date(?:\(\)|(?![\w(]))|\bDate\(\)|(?<!\bsocket\.)\bset(?:Timeout|Interval)\(|\bperformance\.|\bhrtime\b|AbortSignal\.timeout\(/,
      path === clockFile,
      'reads the clock',
    ],
    [/\btimers\/promises\b/, !path.startsWith('src/'), 'reads the clock'],
    [/\bMath\.random\(/, false, 'draws a random number'],
    [
      /\b(?:writeFile|appendFile|copyFile|mkdir|mkdtemp)(?:Sync)?\(|\bcreateWriteStream\(/,
      !path.startsWith('src/') || path.startsWith('src/files/'),
      'writes a file that others may read: use writePrivateFile, copyPrivateFile or makeDirectory',
    ],
    [
      /\bconsole\.log\(|\bstdout\.write\(/,
      !path.startsWith('src/cli/') || printers.has(path),
      'prints past src/cli/terminal.ts, which escapes text on a terminal',
    ],
    [
      /\bprocess\.env\b/,
      path === environmentFile,
      `reads the environment (only config/ and ${environmentFile} do)`,
    ],
    [/\bas any\b|: any\b/, false, 'says any'],
    [
      /(?:\.(?:push|unshift|splice)|\bMath\.(?:max|min)|\bconcatBytes)\((?:[^(){}[\]]*,)?\s*\.\.\./,
      !path.startsWith('src/'),
      'spreads a list over arguments, of which a hundred thousand overflow the stack: use a loop, largestOf or joinBytes',
    ],
  ]
  return [
    ...rules
      .filter(([pattern, allowed]) => !allowed && pattern.test(code))
      .map(([, , what]) => `${path}: ${what}`),
    ...wallClockViolations(path, code),
  ]
}

/** A name that ends in `clock` is a clock; a destructured or aliased `now` would escape the count. */
const wallClockViolations = (path: string, code: string): readonly string[] => {
  if (!path.startsWith('src/') || path === clockFile) return []
  const readings = code.match(/clock\.now\b/gi)?.length ?? 0
  const expected = wallClockReadings[path] ?? 0
  const isHidden = /\bnow\b[^=;]*\} = [\w.#]*clock\b/i.test(code)
  return [
    ...(readings === expected
      ? []
      : [
          `${path}: reads the time of day ${readings} times, not ${expected}: durations use clock.monotonicMs(); for a timestamp, count it in wallClockReadings`,
        ]),
    ...(isHidden ? [`${path}: takes \`now\` out of a clock, which hides how the time of day is used`] : []),
  ]
}

const nameViolations = ({ path, text }: SourceFile): readonly string[] => {
  const name = path.split('/').at(-1) as string
  const violations: string[] = []
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*\.ts$/.test(name)) violations.push(`${path}: not kebab-case`)
  if (path.startsWith('src/') && !barrels.has(path) && isBarrel(text)) violations.push(`${path}: a barrel`)
  return violations
}

const isBarrel = (text: string): boolean => {
  const lines = withoutComments(text)
    .split('\n')
    .filter((line) => line.trim() !== '')
  return (
    lines.length > 0 && lines.every((line) => /^\s*(export (type )?(\{|\*)|[\w\s,]+,?$|\} from)/.test(line))
  )
}

const packageOf = (from: string): string =>
  from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/')

/** Every test file whose name does not show that it starts processes, itself or through a helper of `test/`. */
export const unnamedProcessTests = (files: readonly SourceFile[]): readonly string[] => {
  const texts = new Map(files.map(({ path, text }) => [path, text]))
  const startsProcesses = (path: string, seen: Set<string>): boolean => {
    if (seen.has(path)) return false
    seen.add(path)
    const imports = importsOf(texts.get(path) ?? '').filter(({ typeOnly }) => !typeOnly)
    return imports.some(
      ({ from }) =>
        from === 'node:child_process' ||
        (from.startsWith('.') && startsProcesses(resolveImport(path, from), seen)),
    )
  }
  return [...texts.keys()].filter(
    (path) =>
      path.endsWith('.test.ts') &&
      !/\.(?:process|kafka)\.test\.ts$/.test(path) &&
      startsProcesses(path, new Set()),
  )
}
