import { TestScheduler } from 'rxjs/testing'
import { Fault, messageOf } from '../base/fault.ts'
import type { OptionShape } from '../base/options.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import { anyObject, anyText, count } from '../base/value-kinds.ts'

/**
 * Marble diagrams of RxJS, on the time of a driver: each character is a frame, a letter is a record, a hyphen is a frame
 * without one, `(ab)` are records of one frame, and ` 20ms ` between blanks moves time on. A stream of records neither
 * completes nor fails, so `|`, `#` and `^` are refused.
 */
export interface MarbleOptions {
  /** How long a frame lasts. Default: 1 ms. */
  readonly frameMs?: number
}

/** A letter of a diagram, and how long after its beginning it stands. */
export interface Marble {
  readonly label: string
  readonly afterMs: number
}

export interface MarbleDiagram {
  readonly marbles: readonly Marble[]
  /** From the beginning of the diagram to its end. */
  readonly durationMs: number
}

const marbleOptions: OptionShape<MarbleOptions> = { frameMs: count }

/** Reads a diagram whose letters all stand for something. */
export const diagramOf = (
  verb: string,
  diagram: string,
  values: Readonly<Record<string, unknown>>,
  options: MarbleOptions,
): MarbleDiagram => {
  checkArgument(verb, diagram, anyText)
  checkArgument(`${verb}: values`, values, anyObject)
  checkOptions(verb, options, marbleOptions)
  const found = parsed(diagram, options.frameMs ?? 1)
  const marbles = found.slice(0, -1).map(({ frame, notification }) => {
    if (notification.kind !== 'N') throw invalid(diagram, 'a stream of records neither completes nor fails')
    return { label: notification.value, afterMs: frame }
  })
  const unknown = marbles.find(({ label }) => !Object.hasOwn(values, label))
  if (unknown !== undefined) throw invalid(diagram, `no value is given for '${unknown.label}'`)
  return { marbles, durationMs: found.at(-1)?.frame ?? 0 }
}

type Message = ReturnType<typeof TestScheduler.parseMarbles>[number]

/** The messages of a diagram, with its end as the last. */
const parsed = (diagram: string, frameMs: number): readonly Message[] => {
  if (diagram.includes('^'))
    throw invalid(diagram, "'^' has no meaning here: no observer subscribes to a topic")
  if (diagram.lastIndexOf('(') > diagram.lastIndexOf(')')) throw invalid(diagram, 'a group has no end')
  const { frameTimeFactor } = TestScheduler
  TestScheduler.frameTimeFactor = frameMs
  try {
    return TestScheduler.parseMarbles(`${diagram}|`, undefined, undefined, false, true)
  } catch (cause) {
    throw invalid(diagram, messageOf(cause), cause)
  } finally {
    TestScheduler.frameTimeFactor = frameTimeFactor
  }
}

const invalid = (diagram: string, problem: string, cause?: unknown): Fault =>
  new Fault({
    code: 'MARBLES_INVALID',
    actor: 'author',
    message: `the marbles '${diagram}' cannot be read: ${problem}`,
    remedy:
      "write letters, '-', '(ab)' and times between blanks ('a 20ms b'), and give a value for each letter",
    cause,
  })
