import { Readable } from 'node:stream'
import { vi } from 'vitest'
import { runCommand } from '../../src/cli/program.ts'

/** Runs `millrace …` in this process, one command at a time; a process of its own would cost a second of CPU. */
export const millraceHere = async (
  args: readonly string[],
  input = '',
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> => {
  let stdout = ''
  let stderr = ''
  using _log = vi.spyOn(console, 'log').mockImplementation((line: string) => void (stdout += `${line}\n`))
  using _error = vi.spyOn(console, 'error').mockImplementation((line: string) => void (stderr += `${line}\n`))
  using _stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text, ...more) => {
    stdout += String(text)
    const written = more.find((each) => typeof each === 'function')
    written?.()
    return true
  })
  using _stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text)
    return true
  })
  using _stdin = vi
    .spyOn(process, 'stdin', 'get')
    .mockReturnValue(Readable.from([Buffer.from(input)]) as typeof process.stdin)
  const before = process.exitCode
  process.exitCode = undefined
  try {
    const code = await runCommand(args)
    return { code, stdout, stderr }
  } finally {
    process.exitCode = before
  }
}
