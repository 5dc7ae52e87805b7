import { join } from 'node:path'
import type { ProcessExit, RunningProcess } from '../../support/run-process.ts'
import { runProcess } from '../../support/run-process.ts'
import type { MemberSettings, TimedTelling } from './telling.ts'

/**
 * A place in the group, kept over the deaths of the processes that fill it: its state directory stays, and so does its
 * name where the member is static. How a process ended that nobody ended is noted in `unexpectedEnds`.
 */
export interface MemberOptions {
  readonly name: string
  readonly settings: MemberSettings
}

const program = join(import.meta.dirname, '../programs/chaos-member.ts')

export class Member {
  readonly name: string
  readonly unexpectedEnds: string[] = []
  readonly tellings: TimedTelling[] = []
  readonly #settings: MemberSettings
  #process: RunningProcess | undefined
  #killed: RunningProcess | undefined
  #isEnding = false
  #isStopped = false
  starts = 0

  constructor({ name, settings }: MemberOptions) {
    this.name = name
    this.#settings = settings
  }

  get isUp(): boolean {
    return this.#process !== undefined && !this.#isStopped
  }

  get pid(): number {
    return this.#process?.pid ?? -1
  }

  start(): void {
    if (this.#process !== undefined) return
    this.starts++
    this.#isEnding = false
    this.#isStopped = false
    const running = runProcess(process.execPath, [program, JSON.stringify(this.#settings)])
    this.#process = running
    // Output is kept as what it says; the text itself would fill the memory of a long run.
    void running.waitForExit(2 ** 31 - 1).then(
      (exit) => this.#ended(running, exit),
      () => undefined,
    )
  }

  /** Resolves when the present process has its first tasks, or has been ended before. */
  async running(deadlineMs = 60_000): Promise<void> {
    const running = this.#process
    await running?.waitForLine('"state":"running"', deadlineMs).catch((error: unknown) => {
      if (this.#process === running && !this.#isEnding) throw error
    })
  }

  /** Resolves with how the present process ended. */
  async end(deadlineMs = 60_000): Promise<ProcessExit | undefined> {
    return this.#process?.waitForExit(deadlineMs)
  }

  /** The end is meant: it is no finding. */
  expectEnd(): void {
    this.#isEnding = true
  }

  async kill(): Promise<void> {
    const running = this.#process
    this.#isEnding = true
    this.#killed = running
    running?.kill('SIGKILL')
    await running?.waitForExit(10_000)
    this.#process = undefined
  }

  /** Closes the application in good order; what does not close in time is killed, and told. */
  async leave(graceMs = 30_000): Promise<void> {
    const running = this.#process
    if (running === undefined) return
    this.#isEnding = true
    const { code, signal } = await running.stop(graceMs)
    this.#process = undefined
    // One that hands its tasks over takes a moment to leave, in which it may be hit.
    if (this.#killed === running) return
    if (signal === 'SIGKILL') this.#note(`did not close within ${graceMs} ms`)
    // One that is told before it listens ends by the signal itself.
    else if (code !== 0 && signal !== 'SIGTERM') this.#note(`ended with ${code} on SIGTERM`)
  }

  /** SIGSTOP: everything stands still, and the sockets stay open. */
  stop(): void {
    this.#isStopped = true
    this.#process?.kill('SIGSTOP')
  }

  continue(): void {
    if (!this.#isStopped) return
    this.#isStopped = false
    this.#process?.kill('SIGCONT')
  }

  /** What it has told so far, the present process included. */
  told(): readonly TimedTelling[] {
    return [...this.tellings, ...tellingsIn(this.#process?.lines ?? [])]
  }

  #ended(running: RunningProcess, { code, signal }: ProcessExit): void {
    this.tellings.push(...tellingsIn(running.lines))
    if (!this.#isEnding)
      this.#note(`ended by itself (${code ?? signal}): ${running.lines.slice(-8).join(' | ')}`)
    if (this.#process === running) this.#process = undefined
  }

  #note(what: string): void {
    this.unexpectedEnds.push(`${this.name} ${what}`)
  }
}

const tellingsIn = (lines: readonly string[]): readonly TimedTelling[] =>
  lines.filter((line) => line.startsWith('{"atMs"')).map((line) => JSON.parse(line) as TimedTelling)
