import { defineConfig } from 'vitest/config'

/**
 * Three costs, three projects: `unit` is everything in memory or on loopback (`.test.ts`, `.sim.test.ts`),
 * `kafka` needs a real Apache Kafka (`.kafka.test.ts`) and gets one from its global set-up.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.kafka.test.ts'],
          testTimeout: 20_000,
          typecheck: { enabled: false },
        },
      },
      {
        test: {
          name: 'kafka',
          include: ['test/**/*.kafka.test.ts'],
          globalSetup: ['test/support/kafka/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
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
