/**
 * A trial is a test that takes minutes, a broker of its own, or more memory than `npm test` may use. It states a bound,
 * tries to break it, and returns what it measured.
 *
 * A module in this folder exports one as `trial`, or several as `trials`. `npm run trials` runs each in a process of its
 * own: its memory and its event loop are its alone, and a crash or a hang fails this trial only.
 *
 * @example
 * export const trial: Trial = {
 *   name: 'slow-callback',
 *   finding: 'a callback that needs 12 ms of CPU for each record',
 *   bound: 'commits progress; the member stays in its group',
 *   needs: 'kafka',
 *   run: async ({ brokers, directory, log, signal }) => ({ passed: true, measured: '12 commits in 30 s' }),
 * }
 */
export interface Trial {
  /** In kebab-case: what `--only` takes. */
  readonly name: string
  /** The kind of defect that the trial looks for, in words a user understands. */
  readonly finding: string
  /** What must hold. */
  readonly bound: string
  /** The broker at `context.brokers`. `own` is for a trial that starts what it needs itself: `brokers` is empty then. */
  readonly needs: 'embedded' | 'kafka' | 'own'
  /** The trial fails when it takes longer; defaults to five minutes. */
  readonly timeoutMs?: number
  /** A rejection fails the trial, and its message is what was measured. */
  run(context: TrialContext): Promise<TrialResult>
}

export interface TrialContext {
  /** Bootstrap servers. A Kafka is shared by all trials of a run, so topics, groups and ids need names of their own. */
  readonly brokers: string
  /** An empty directory, deleted after the trial. */
  readonly directory: string
  /** Writes a line of progress to standard error. */
  readonly log: (line: string) => void
  /** Aborted by SIGINT and at the timeout: end what was started, and return or reject. */
  readonly signal: AbortSignal
}

export interface TrialResult {
  readonly passed: boolean
  /** The numbers that the bound is compared with, in one line. */
  readonly measured: string
}
