import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** The doors by name, as the very modules that tests reach by path: two copies of a class would not know each other. */
const door = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url))
const alias = [
  { find: /^millrace$/, replacement: door('index.ts') },
  { find: /^millrace\/testing$/, replacement: door('testing/index.ts') },
  { find: /^millrace\/broker$/, replacement: door('broker/index.ts') },
]

/** A poll ends when its condition holds; a short timeout only makes tests fail on a machine that is slow just then. */
const poll = { timeout: 30_000 }

/** What the projects without a Kafka have in common. */
const withoutKafka = {
  expect: { poll },
  // An import of the library takes a second of CPU, more than most files need for their tests, so files share a
  // process and its modules. A test that fails must not leave its spies to the next file.
  isolate: false,
  restoreMocks: true,
  // Processes and threads that tests start read what was compiled before: a third of their CPU.
  env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('.cache/compiled', import.meta.url)) },
  typecheck: { enabled: false },
}

/**
 * The name of a test file chooses its project:
 *
 * - `.test.ts` and `.sim.test.ts`: `unit`, in memory or on loopback.
 * - `.process.test.ts`: `processes`, which start processes. `test/tidy.test.ts` checks that no other file does.
 * - `.kafka.test.ts`: `kafka`, on a real Apache Kafka, which its global set-up provides.
 *
 * `npm test` runs the first two.
 */
export default defineConfig({
  test: {
    // Many tests wait for processes and brokers: one worker more than there are cores keeps these busy.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.{process,kafka}.test.ts'],
          // A simulation takes seconds where three workers share two cores.
          testTimeout: 40_000,
          ...withoutKafka,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'processes',
          include: ['test/**/*.process.test.ts'],
          // A process takes seconds to start where three workers share two cores.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          ...withoutKafka,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'kafka',
          include: ['test/**/*.kafka.test.ts'],
          globalSetup: ['test/support/kafka/global-setup.ts'],
          testTimeout: 120_000,
          expect: { poll },
          hookTimeout: 120_000,
          fileParallelism: false,
          execArgv: ['--disable-warning=TimeoutNegativeWarning'],
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html'],
    },
  },
})
