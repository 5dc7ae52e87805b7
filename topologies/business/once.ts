import { filter, map } from 'rxjs'
import type { OperatorFunction } from 'rxjs'
import * as z from 'zod'
import type { RecordOrigin } from 'millrace'

/**
 * One effect per order, however often its event arrives. A service remembers what it answered and which record it answered: the
 * same record again (it was redelivered after a crash) gets the same answer, another record about the same order none.
 */
export interface Answered<out T> {
  readonly answer: T | null
  /** The record that was answered first. */
  readonly by: string
  /** True where the last record was another one about the same thing. */
  readonly repeated: boolean
}

export const answered = <T extends z.ZodType>(answer: T): z.ZodType<Answered<z.output<T>>> =>
  z.object({ answer: answer.nullable(), by: z.string(), repeated: z.boolean() }) as unknown as z.ZodType<
    Answered<z.output<T>>
  >

export const unanswered = { answer: null, by: '', repeated: false } as const

/** Decides the first time, and repeats itself ever after. */
export const answerOnce = <T>(
  known: Answered<T>,
  origin: RecordOrigin | undefined,
  decide: () => T,
): Answered<T> => {
  const by = recordId(origin)
  return known.answer === null
    ? { answer: decide(), by, repeated: false }
    : { ...known, repeated: known.by !== by }
}

/** Names one record among all records. */
export const recordId = (origin: RecordOrigin | undefined): string =>
  origin === undefined ? '' : `${origin.topic}/${origin.partition}/${origin.offset}`

/** An RxJS operator: the answers that were not given before. */
export const freshAnswers =
  <T>(): OperatorFunction<Answered<T> | null, T> =>
  (known) =>
    known.pipe(
      filter((each): each is Answered<T> => each?.repeated === false),
      map(({ answer }) => answer),
      filter((answer) => answer !== null),
    )
