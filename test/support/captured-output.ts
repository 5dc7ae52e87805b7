import { vi } from 'vitest'

interface CapturedOutput extends Disposable {
  readonly stdout: string
  readonly stderr: string
}

/** Takes what this process writes to its output, until it is disposed. */
export const captured = (): CapturedOutput => {
  const written = { stdout: '', stderr: '' }
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => {
    written.stdout += `${line}\n`
  })
  const error = vi.spyOn(console, 'error').mockImplementation((line: string) => {
    written.stderr += `${line}\n`
  })
  const streams = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text, ...more) => {
      written[name] += String(text)
      for (const each of more) if (typeof each === 'function') each()
      return true
    }),
  )
  return {
    get stdout() {
      return written.stdout
    },
    get stderr() {
      return written.stderr
    },
    [Symbol.dispose]: () => {
      for (const spy of [log, error, ...streams]) spy.mockRestore()
    },
  }
}
