import { describe, expect, it } from 'vitest'
import { isFault } from '../../src/base/fault.ts'
import { seconds } from '../../src/base/duration.ts'
import type { SagaOptions } from '../../src/saga/saga.ts'
import { saga } from '../../src/saga/saga.ts'
import type { StepMaker, StepOptions, UnnamedStep } from '../../src/saga/step.ts'
import { succeeds } from '../../src/saga/step.ts'
import {
  bookFlight,
  bookHotel,
  cancelHotel,
  flightCancelled,
  hotelBooked,
  hotelCancelled,
  tripPaid,
  tripRequested,
} from './trip.ts'

interface Start {
  readonly guest: string
}
type Make = StepMaker<Start>
const note = { note: '' }
const hotelOptions = {
  command: { to: bookHotel, value: ({ start }: { start: Start }) => start },
  replies: { booked: succeeds(hotelBooked) },
  undo: { to: cancelHotel, value: () => note, replies: { cancelled: succeeds(hotelCancelled) } },
} satisfies StepOptions<Start, Start, typeof note>
const hotel = (step: Make): UnnamedStep => step(hotelOptions)
const pay = (step: Make, kind: 'pivot' | 'retriable' | 'compensable'): UnnamedStep =>
  step({
    kind,
    command: { to: bookFlight, value: ({ start }) => start },
    replies: { paid: succeeds(tripPaid) },
  })

const faultsOf = (
  steps: SagaOptions<Start, never>['steps'],
  timeout: number | null = seconds(1),
): readonly [string, string | undefined][] => {
  try {
    saga('trip', { startedBy: tripRequested, steps, ...(timeout === null ? {} : { timeout }) })
    return []
  } catch (error) {
    if (!isFault(error, 'SAGA_INVALID')) throw error
    return (error.cause as AggregateError).errors.map(({ code, place }) => [code, place.node])
  }
}

describe('a saga is checked when it is said', () => {
  it('and a whole one is let pass', () => {
    expect(faultsOf((step) => ({ hotel: hotel(step), pay: pay(step, 'pivot') }))).toEqual([])
  })

  it('a compensable step without undo is named (X10)', () => {
    const { undo: _undo, ...withoutUndo } = hotelOptions
    expect(faultsOf((step) => ({ hotel: step(withoutUndo), pay: pay(step, 'pivot') }))).toEqual([
      ['COMPENSATION_MISSING', 'hotel'],
    ])
    expect(() =>
      saga('trip', { startedBy: tripRequested, timeout: 1, steps: (step) => ({ hotel: step(withoutUndo) }) }),
    ).toThrow(/saga 'trip' has 1 fault:\n {2}- step 'hotel' has no undo: .*; give it an `undo`/)
  })

  it('a step after the pivot that is not retriable is named', () => {
    expect(faultsOf((step) => ({ pay: pay(step, 'pivot'), hotel: hotel(step) }))).toEqual([
      ['STEP_AFTER_PIVOT', 'hotel'],
    ])
    expect(faultsOf((step) => ({ pay: pay(step, 'retriable'), hotel: hotel(step) }))).toEqual([
      ['STEP_AFTER_PIVOT', 'hotel'],
    ])
  })

  it('a step without timeout is named, its undo too', () => {
    expect(faultsOf((step) => ({ hotel: hotel(step) }), null)).toEqual([
      ['TIMEOUT_MISSING', 'hotel'],
      ['TIMEOUT_MISSING', 'hotel'],
    ])
    expect(faultsOf((step) => ({ hotel: step({ ...hotelOptions, timeout: 5 }) }), null)).toEqual([])
  })

  it.each([Infinity, 1.5, 2 ** 53])(
    'a timeout of %s, which is no whole milliseconds, is named',
    (timeout) => {
      expect(faultsOf((step) => ({ hotel: hotel(step) }), timeout)).toEqual([
        ['TIMEOUT_INVALID', 'hotel'],
        ['TIMEOUT_INVALID', 'hotel'],
      ])
    },
  )

  it('a command and an undo without replies are named', () => {
    expect(faultsOf((step) => ({ hotel: step({ ...hotelOptions, replies: {} }) }))).toEqual([
      ['REPLY_MISSING', 'hotel'],
    ])
    expect(
      faultsOf((step) => ({ hotel: step({ ...hotelOptions, undo: { ...hotelOptions.undo, replies: {} } }) })),
    ).toEqual([['REPLY_MISSING', 'hotel']])
  })

  it('a reply topic that answers two commands, the start or itself is named', () => {
    const twice = (topic: Parameters<typeof succeeds>[0]): readonly [string, string | undefined][] =>
      faultsOf((step) => ({ hotel: step({ ...hotelOptions, replies: { booked: succeeds(topic) } }) }))
    expect(twice(hotelCancelled as never)).toEqual([['REPLY_AMBIGUOUS', 'hotel']])
    expect(twice(tripRequested as never)).toEqual([['REPLY_AMBIGUOUS', 'hotel']])
    expect(twice(bookHotel as never)).toEqual([['REPLY_AMBIGUOUS', 'hotel']])
    expect(twice(flightCancelled as never)).toEqual([])
  })

  it('an undo that would never run is named', () => {
    expect(faultsOf((step) => ({ hotel: step({ ...hotelOptions, kind: 'pivot' }) }))).toEqual([
      ['UNDO_UNREACHABLE', 'hotel'],
    ])
  })

  it('attempts and pauses that make no sense are named', () => {
    expect(faultsOf((step) => ({ hotel: step({ ...hotelOptions, retry: { attempts: 0 } }) }))).toEqual([
      ['RETRY_INVALID', 'hotel'],
      ['RETRY_INVALID', 'hotel'],
    ])
  })

  it('a name that could not stand in an idempotency key is named', () => {
    expect(faultsOf((step) => ({ 'a/b': hotel(step) }))).toEqual([['STEP_NAME_INVALID', 'a/b']])
    expect(faultsOf((step) => ({ 7: hotel(step) }))).toEqual([['STEP_NAME_INVALID', '7']])
  })

  it('a saga without steps is refused', () => {
    expect(faultsOf(() => ({}))).toEqual([['SAGA_EMPTY', undefined]])
  })

  it('all faults are reported together', () => {
    expect(faultsOf((step) => ({ pay: pay(step, 'compensable'), 'a b': hotel(step) }), null)).toHaveLength(5)
  })
})
