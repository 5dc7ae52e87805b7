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

/**
 * Three costs, three projects: `unit` is everything in memory or on loopback (`.test.ts`, `.sim.test.ts`),
 * `kafka` needs a real Apache Kafka (`.kafka.test.ts`) and gets one from its global set-up.
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
          exclude: ['test/**/*.kafka.test.ts'],
          // Many tests start processes, which take seconds where three workers share two cores.
          testTimeout: 40_000,
          expect: { poll },
          // An import of the library takes a second of CPU, more than most files need for their tests, so files share a
          // process and its modules. A test that fails must not leave its spies to the next file.
          isolate: false,
          restoreMocks: true,
          // Processes and threads that tests start read what was compiled before: a third of their CPU.
          env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('.cache/compiled', import.meta.url)) },
          typecheck: { enabled: false },
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
