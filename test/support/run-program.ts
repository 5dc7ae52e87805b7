import { vi } from 'vitest'
import { captured } from './captured-output.ts'

/** Thrown in place of the end of the process. */
class Exit extends Error {
  readonly code: number

  constructor(code: number) {
    super(`the program exited with ${code}`)
    this.code = code
  }
}

const calls = { count: 0 }

/**
 * Runs a program as `node FILE …` does, in this process, until it exits or its module is complete: for calls that end at
 * their options. Each call evaluates the program again, but not what it imports.
 */
export const programHere = async (
  file: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> => {
  using output = captured()
  using _exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Exit(Number(code ?? 0))
  })
  const { argv } = process
  process.argv = [process.execPath, file, ...args]
  try {
    await import(/* @vite-ignore */ `${file}?call=${calls.count++}`)
    return { code: 0, stdout: output.stdout, stderr: output.stderr }
  } catch (error) {
    if (!(error instanceof Exit)) throw error
    return { code: error.code, stdout: output.stdout, stderr: output.stderr }
  } finally {
    process.argv = argv
  }
}
