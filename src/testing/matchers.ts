import { Fault } from '../base/fault.ts'
import type { DropReason } from '../task/ports.ts'
import { diffOf } from './diff-lines.ts'
import type { MarbleOptions } from './marbles.ts'
import { diagramOf } from './marbles.ts'
import { show, showRecord } from './show.ts'
import { TestDriver } from './test-driver.ts'
import { showDrops } from './test-drop.ts'
import type { TestRecord } from './test-topic.ts'
import { TestOutput } from './test-topic.ts'

/** What of a record has to hold; what is left out may be anything. */
export type ExpectedRecord<K = unknown, V = unknown> = Partial<TestRecord<K, V>>

/** The assertions `expect.extend(matchers)` adds; `T` is what is expected of. */
export interface MillraceMatchers<R = void, T = unknown> {
  /** The output's unread records are these, in this order. Reading them is part of it. */
  toHaveEmitted(
    expected: readonly (T extends TestOutput<infer K, infer V> ? ExpectedRecord<K, V> : ExpectedRecord)[],
  ): R
  /**
   * The output's unread records are those of the marble diagram, each at its time; the first frame is the time at which the
   * driver began. What is left out of a record may be anything. Reading them is part of it.
   */
  toBeMarbles(
    diagram: string,
    expected: Readonly<
      Record<string, T extends TestOutput<infer K, infer V> ? ExpectedRecord<K, V> : ExpectedRecord>
    >,
    options?: MarbleOptions,
  ): R
  /** The driver has left out so many records for these reasons, and none for others; `{}` says that it left out none. */
  toHaveDropped(expected: Readonly<Partial<Record<DropReason, number>>>): R
  /** The store holds these rows over all partitions, in any order, and no others. */
  toHaveStored(store: string, expected: Iterable<readonly [unknown, unknown]>): R
}

/** Adds the matchers to Vitest's `expect`; nothing of Vitest is loaded. */
declare module 'vitest' {
  interface Matchers<
    R extends void | Promise<void> = void | Promise<void>,
    T = unknown,
  > extends MillraceMatchers<R, T> {}
}

/** What the matchers need of the runner; Vitest and Jest both hand it over as `this`. */
export interface MatcherContext {
  readonly equals: (left: unknown, right: unknown) => boolean
}

/** The result of a matcher, as Vitest and Jest expect it. */
export interface MatcherResult {
  readonly pass: boolean
  readonly message: () => string
}

/**
 * Matchers for Vitest (or Jest): what a topology emitted, dropped and stored, with a diff by record and the reason of
 * each record that was left out.
 *
 * @example
 * import { expect } from 'vitest'
 * import { matchers } from 'millrace/testing'
 * expect.extend(matchers)
 *
 * expect(driver.output(paymentCompleted)).toHaveEmitted([{ key: 'order-123', value: { paid: true } }])
 * expect(driver).toHaveDropped({ late: 1 })
 * expect(driver).toHaveStored('orders-by-customer', [['ada', 2]])
 */
export const matchers = {
  toHaveEmitted(this: MatcherContext, received: unknown, expected: readonly ExpectedRecord[]): MatcherResult {
    return emittedResult(this, requireOutput(received), expected)
  },

  toBeMarbles(
    this: MatcherContext,
    received: unknown,
    diagram: string,
    expected: Readonly<Record<string, ExpectedRecord>>,
    options: MarbleOptions = {},
  ): MatcherResult {
    const output = requireOutput(received)
    const { marbles } = diagramOf('toBeMarbles', diagram, expected, options)
    const records = marbles.map(({ label, afterMs }) => ({
      ...expected[label],
      timestamp: output.startMs + afterMs,
    }))
    return emittedResult(this, output, records)
  },

  toHaveDropped(
    this: MatcherContext,
    received: unknown,
    expected: Readonly<Record<string, number>>,
  ): MatcherResult {
    const driver = requireDriver(received)
    const rowsOf = (counts: Readonly<Record<string, number | undefined>>): readonly string[] =>
      Object.entries(counts)
        .filter(([, count]) => count !== 0)
        .map(([reason, count]) => `${reason}: ${count}`)
        .sort()
    const same = (left: string, right: string): boolean => left === right
    const { equal, lines } = diffOf(rowsOf(expected), rowsOf(driver.dropped()), same, {
      expected: String,
      received: String,
    })
    return matcherResult(equal, 'the driver', 'dropped', [...lines, ...showDrops(driver.drops())])
  },

  toHaveStored(
    this: MatcherContext,
    received: unknown,
    store: string,
    expected: Iterable<readonly [unknown, unknown]>,
  ): MatcherResult {
    const showRow = ([key, value]: readonly [unknown, unknown]): string => showRecord(key, value)
    const { equal, lines } = diffOf(
      sorted([...expected], showRow),
      sorted([...requireDriver(received).rows(store)], showRow),
      (wanted, row) => this.equals(row, wanted),
      { expected: showRow, received: showRow },
    )
    return matcherResult(equal, `store ${store}`, 'held', lines)
  },
}

/** Compares the unread records of an output with what each has to hold. */
const emittedResult = (
  runner: MatcherContext,
  output: TestOutput<unknown, unknown>,
  expected: readonly ExpectedRecord[],
): MatcherResult => {
  const emitted = output.readAll()
  const holds = (record: ExpectedRecord, wanted: ExpectedRecord): boolean =>
    Object.entries(wanted).every(([field, value]) =>
      runner.equals(record[field as keyof ExpectedRecord], value),
    )
  const { equal, lines } = diffOf(expected, emitted, (wanted, record) => holds(record, wanted), {
    expected: showExpected,
    received: showReceived(expected),
  })
  const missing = showDrops(output.drops())
  return matcherResult(equal, `topic ${output.topic}`, 'emitted', [...lines, ...missing])
}

const matcherResult = (
  pass: boolean,
  what: string,
  verb: string,
  lines: readonly string[],
): MatcherResult => ({
  pass,
  message: () =>
    pass
      ? `${what} ${verb} just what it should not have:\n${indented(lines)}`
      : `${what} has not ${verb} what was expected (- expected, + ${verb}):\n${indented(lines)}`,
})

const indented = (lines: readonly string[]): string =>
  lines.length === 0 ? '  (nothing)' : lines.map((line) => `  ${line}`).join('\n')

/** Of a received record, what was asked about any of the expected ones is shown. */
const showReceived =
  (expected: readonly ExpectedRecord[]) =>
  (record: ExpectedRecord): string => {
    const asked = new Set(expected.flatMap((each) => Object.keys(each)))
    const fields = Object.entries(record).filter(([field]) => asked.has(field))
    return showExpected({ key: record.key, value: record.value, ...Object.fromEntries(fields) })
  }

const showExpected = ({ key, value, ...rest }: ExpectedRecord): string =>
  [showRecord(key, value), ...Object.entries(rest).map(([field, each]) => `${field} ${show(each)}`)].join(
    '  ',
  )

const sorted = <T>(rows: readonly T[], text: (row: T) => string): readonly T[] =>
  rows.toSorted((left, right) => (text(left) < text(right) ? -1 : text(left) > text(right) ? 1 : 0))

const requireOutput = (received: unknown): TestOutput<unknown, unknown> => {
  if (received instanceof TestOutput) return received as TestOutput<unknown, unknown>
  throw misused(
    'toHaveEmitted and toBeMarbles are for the output of a driver',
    'write expect(driver.output(topic))',
  )
}

const requireDriver = (received: unknown): TestDriver => {
  if (received instanceof TestDriver) return received
  throw misused('toHaveDropped and toHaveStored are for a driver', 'write expect(driver)')
}

const misused = (message: string, remedy: string): Fault =>
  new Fault({ code: 'MATCHER_MISUSED', actor: 'author', message, remedy })
