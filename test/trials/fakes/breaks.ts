import type { Trial } from '../trial.ts'

/** Trials that fail in each way a trial can. */
export const trials: readonly Trial[] = [
  {
    ...{ name: 'breaks', finding: 'a bound that does not hold', bound: 'under 1', needs: 'own' as const },
    run: () => Promise.resolve({ passed: false, measured: '2' }),
  },
  {
    ...{ name: 'rejects', finding: 'a trial that throws', bound: 'none', needs: 'own' as const },
    run: () => Promise.reject(new Error('the broker is gone')),
  },
  {
    ...{ name: 'crashes', finding: 'a process that crashes', bound: 'none', needs: 'own' as const },
    run: () => {
      process.kill(process.pid, 'SIGSEGV')
      return new Promise(() => undefined)
    },
  },
  {
    ...{ name: 'waits', finding: 'a trial without an end', bound: 'none', needs: 'own' as const },
    timeoutMs: 500,
    run: ({ signal }) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => undefined, 60_000)
        signal.addEventListener('abort', () => {
          clearTimeout(timer)
          resolve({ passed: true, measured: 'aborted' })
        })
      }),
  },
]
