import { Readable } from 'node:stream'
import { vi } from 'vitest'
import { runCommand } from '../../src/cli/program.ts'
import { captured } from './captured-output.ts'

/** Runs `millrace …` in this process, one command at a time; a process of its own would cost a second of CPU. */
export const millraceHere = async (
  args: readonly string[],
  input = '',
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> => {
  using output = captured()
  using _stdin = vi
    .spyOn(process, 'stdin', 'get')
    .mockReturnValue(Readable.from([Buffer.from(input)]) as typeof process.stdin)
  const before = process.exitCode
  process.exitCode = undefined
  try {
    const code = await runCommand(args)
    return { code, stdout: output.stdout, stderr: output.stderr }
  } finally {
    process.exitCode = before
  }
}
