import { vi } from 'vitest'
import { runCommand } from '../../src/cli/program.ts'

/** Runs `millrace …` in this process; a process of its own would cost seconds. `vi.restoreAllMocks` belongs after each test. */
export const millraceHere = async (
  args: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> => {
  const lines: string[] = []
  const errors: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(`${line}\n`))
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => errors.push(String(text)) > 0)
  const before = process.exitCode
  process.exitCode = undefined
  const code = await runCommand(args)
  process.exitCode = before
  return { code, stdout: lines.join(''), stderr: errors.join('') }
}
