import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { onProcessEnd } from './on-process-end.ts'

/**
 * A command run as a process of its own, as a user would run it: a CLI, an application that is killed in mid-work,
 * another client. Its output can be awaited line by line, its end is awaited with a deadline, and signals go to its
 * pid alone. A process that a test forgets is killed when the test runner ends.
 */
export interface RunningProcess {
  readonly pid: number
  /** Everything written to standard output so far, byte for byte as UTF-8. */
  readonly stdout: string
  /** Everything written to standard error so far. */
  readonly stderr: string
  /** The complete lines of both, in the order they arrived. */
  readonly lines: readonly string[]
  /** Writes to standard input. */
  write(text: string): void
  /** Ends standard input. */
  endInput(): void
  /** The first line, past or to come, that the pattern matches; rejects when the process ends or the deadline passes. */
  waitForLine(pattern: RegExp | string, deadlineMs?: number): Promise<string>
  /** How the process ended, once its output is read to the end; rejects when the deadline passes. */
  waitForExit(deadlineMs?: number): Promise<ProcessExit>
  /** Sends a signal to this process only, and returns at once. */
  kill(signal?: NodeJS.Signals): void
  /** SIGTERM, and SIGKILL for a process that is still there after `graceMs`; resolves when it is gone. */
  stop(graceMs?: number): Promise<ProcessExit>
  [Symbol.asyncDispose](): Promise<void>
}

export interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  /** Added to the environment of this process; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Written to standard input, which then ends. */
  readonly input?: string
}

const defaultDeadlineMs = 30_000

/**
 * Starts a command.
 *
 * @example
 * await using server = runProcess('node', ['bin/millrace.js', 'broker', '--port', '0'])
 * const line = await server.waitForLine(/listening on/)
 */
export const runProcess = (
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): RunningProcess => {
  const child = spawn(command, args, spawnOptions(options))
  const output = collect(child)
  const forget = onProcessEnd(() => child.kill('SIGKILL'))
  const named = [command, ...args].join(' ')
  const exit = exitOf(child, output, forget)
  if (options.input !== undefined) child.stdin?.end(options.input)

  const running: RunningProcess = {
    pid: child.pid ?? -1,
    get stdout() {
      return output.stdout
    },
    get stderr() {
      return output.stderr
    },
    lines: output.lines,
    write: (text) => void child.stdin?.write(text),
    endInput: () => void child.stdin?.end(),
    waitForLine: (pattern, deadlineMs = defaultDeadlineMs) =>
      within(
        deadlineMs,
        lineOf(output, pattern, exit),
        () => `${named} wrote no line like ${pattern}:\n${tail(output)}`,
      ),
    waitForExit: (deadlineMs = defaultDeadlineMs) =>
      within(deadlineMs, exit, () => `${named} did not end within ${deadlineMs} ms:\n${tail(output)}`),
    kill: (signal = 'SIGTERM') => void child.kill(signal),
    stop: async (graceMs = 5000) => {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
      return exit.finally(() => clearTimeout(timer))
    },
    [Symbol.asyncDispose]: async () => {
      await running.stop()
    },
  }
  return running
}

/** Runs a command to its end; a command that fails is an error with its output. */
export const runToEnd = async (
  command: string,
  args: readonly string[],
  options: RunOptions & { readonly deadlineMs?: number } = {},
): Promise<ProcessExit> => {
  const running = runProcess(command, args, { input: '', ...options })
  try {
    const ended = await running.waitForExit(options.deadlineMs)
    if (ended.code === 0) return ended
    const how = ended.code === null ? `was ended by ${ended.signal}` : `ended with ${ended.code}`
    throw new Error(`${command} ${args.join(' ')} ${how}:\n${running.lines.slice(-30).join('\n')}`)
  } finally {
    running.kill('SIGKILL')
  }
}

interface Output {
  stdout: string
  stderr: string
  lines: string[]
  readonly listeners: Set<(line: string) => void>
}

const spawnOptions = ({ cwd, env }: RunOptions): SpawnOptions => ({
  stdio: ['pipe', 'pipe', 'pipe'],
  env: { ...process.env, ...env },
  ...(cwd === undefined ? {} : { cwd }),
})

const collect = (child: ChildProcess): Output => {
  const output: Output = { stdout: '', stderr: '', lines: [], listeners: new Set() }
  const publish = (line: string): void => {
    output.lines.push(line)
    for (const listener of output.listeners) listener(line)
  }
  // A process that ended before its input was read breaks the pipe; how it ended says more than that.
  child.stdin?.on('error', () => undefined)
  for (const name of ['stdout', 'stderr'] as const) {
    let rest = ''
    child[name]?.setEncoding('utf8')
    child[name]?.on('data', (text: string) => {
      output[name] += text
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      lines.forEach(publish)
    })
    child[name]?.on('end', () => {
      if (rest !== '') publish(rest)
    })
  }
  return output
}

/** `close` comes after the last byte of output, `exit` before it: the former is the end a test means. */
const exitOf = (child: ChildProcess, output: Output, forget: () => void): Promise<ProcessExit> => {
  const exit = new Promise<ProcessExit>((resolve, reject) => {
    child.once('error', (error) => {
      forget()
      reject(error)
    })
    child.once('close', (code, signal) => {
      forget()
      resolve({ code, signal, stdout: output.stdout, stderr: output.stderr })
    })
  })
  // Whoever awaits the end gets the error; nobody has to.
  exit.catch(() => undefined)
  return exit
}

const lineOf = (output: Output, pattern: RegExp | string, exit: Promise<ProcessExit>): Promise<string> => {
  const matches = (line: string): boolean =>
    typeof pattern === 'string'
      ? line.includes(pattern)
      : new RegExp(pattern.source, pattern.flags).test(line)
  const past = output.lines.find(matches)
  if (past !== undefined) return Promise.resolve(past)
  return new Promise((resolve, reject) => {
    const listener = (line: string): void => {
      if (!matches(line)) return
      output.listeners.delete(listener)
      resolve(line)
    }
    output.listeners.add(listener)
    exit.then(
      ({ code, signal }) =>
        reject(new Error(`ended (${code ?? signal}) without a line like ${pattern}:\n${tail(output)}`)),
      reject,
    )
  })
}

const within = <T>(deadlineMs: number, promise: Promise<T>, message: () => string): Promise<T> => {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(message())), deadlineMs)
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

const tail = ({ lines }: Output): string => lines.slice(-20).join('\n')
