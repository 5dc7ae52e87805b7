import { describe, expect, it } from 'vitest'
import { saga } from '../../src/saga/saga.ts'
import { classifies } from '../../src/saga/step.ts'
import { Scenario, given, replies, start, time } from './trip.ts'
import { bookFlight, flightAnswered, tripRequested } from './trip.ts'

const { booked, full, hotelCancelled, seat, noSeat, flightCancelled, flightNotCancelled } = replies
const { paid, notPaid, sent, failed } = replies
const seconds = (count: number): number => count * 1_000

describe('a saga that goes well', () => {
  it('begins with the first command', () => {
    expect(new Scenario().when(start)).toEqual(['SagaStarted', 'do hotel'])
  })

  it('sends the next command only after the reply', () => {
    expect(given().when(booked)).toEqual(['stored hotel-booked', 'StepDone hotel', 'do flight'])
    expect(given(booked).when(seat)).toEqual(['stored flight-answered', 'StepDone flight', 'do pay'])
  })

  it('is completed after the last reply', () => {
    const scenario = given(booked, seat, paid)
    expect(scenario.when(sent)).toEqual(['stored tickets-sent', 'StepDone send', 'SagaCompleted'])
    expect(scenario.state).toMatchObject({
      status: 'COMPLETED',
      publishedOutcome: 'COMPLETED',
      failure: null,
    })
  })

  it('is begun once, however often it is started', () => {
    expect(given(booked).when(start)).toEqual([])
  })

  it('takes no notice of a reply that comes twice', () => {
    expect(given(booked).when(booked)).toEqual([])
    expect(given(booked, seat, paid, sent).when(paid)).toEqual([])
  })

  it('takes no notice of a reply to a command it has not sent', () => {
    expect(given().when(paid)).toEqual([])
    expect(given().when(hotelCancelled)).toEqual([])
  })

  it('forgets a failure that did not last', () => {
    const scenario = given(booked, seat, time(seconds(10)))
    expect(scenario.state).toMatchObject({ status: 'STUCK', failure: { step: 'pay' } })
    expect(scenario.given(paid, sent).state).toMatchObject({ status: 'COMPLETED', failure: null })
  })
})

describe('a step that is refused', () => {
  it('rejects the saga where nothing was done before', () => {
    const scenario = given()
    expect(scenario.when(full)).toEqual([
      'stored hotel-full',
      'StepRefused hotel',
      'CompensationStarted hotel: full',
      'SagaRejected',
    ])
    expect(scenario.status).toBe('REJECTED')
  })

  it('undoes what was done, in reverse order, one after the other', () => {
    const scenario = given(booked, seat)
    expect(scenario.when(notPaid)).toEqual([
      'stored trip-not-paid',
      'StepRefused pay',
      'CompensationStarted pay: notPaid',
      'undo flight',
    ])
    expect(scenario.status).toBe('COMPENSATING')
    expect(scenario.when(flightCancelled)).toEqual([
      'stored flight-cancelled',
      'StepUndone flight',
      'undo hotel',
    ])
    expect(scenario.when(hotelCancelled)).toEqual([
      'stored hotel-cancelled',
      'StepUndone hotel',
      'SagaCompensated',
    ])
    expect(scenario.state).toMatchObject({
      status: 'COMPENSATED',
      failure: { step: 'pay', reason: 'notPaid' },
    })
  })

  it('is not undone itself', () => {
    expect(given(booked).when(noSeat).at(-1)).toBe('undo hotel')
  })

  it('is classifies by the value where both kinds of reply share a topic', () => {
    expect(given(booked).when(noSeat)).toContain('StepRefused flight')
    expect(given(booked).when(seat)).toContain('StepDone flight')
  })
})

describe('a reply that does not come', () => {
  it('puts the step in doubt, which is undone like one that was done', () => {
    const scenario = given()
    expect(scenario.when(time(seconds(10) - 1))).toEqual([])
    expect(scenario.when(time(seconds(10)))).toEqual([
      'CompensationStarted hotel: no reply in time',
      'undo hotel',
    ])
    expect(scenario.given(hotelCancelled).status).toBe('COMPENSATED')
  })

  it('has the command sent again first, where the step allows it, after a pause', () => {
    const scenario = given(booked)
    expect(scenario.when(time(seconds(10)))).toEqual(['retry do flight at 11000'])
    expect(scenario.when(time(seconds(10.5)))).toEqual([])
    expect(scenario.when(time(seconds(11)))).toEqual(['do flight (2)'])
    expect(scenario.when(time(seconds(21)))).toEqual([
      'CompensationStarted flight: no reply in time',
      'undo flight',
    ])
    expect(scenario.when(flightCancelled)).toEqual([
      'stored flight-cancelled',
      'StepUndone flight',
      'undo hotel',
    ])
  })

  it('may come while the pause lasts', () => {
    expect(given(booked, time(seconds(10))).when(seat)).toContain('StepDone flight')
  })

  it('leaves the saga stuck where the step is the pivot: nobody knows whether it happened', () => {
    const scenario = given(booked, seat)
    expect(scenario.when(time(seconds(10)))).toEqual(['SagaStuck pay: no reply in time'])
    expect(scenario.when(time(seconds(100)))).toEqual([])
  })

  it('leaves the saga stuck where a retriable step fails as often as allowed', () => {
    const scenario = given(booked, seat, paid)
    expect(scenario.when(failed)).toEqual(['retry do send at 2000'])
    expect(scenario.when(failed)).toEqual([])
    expect(scenario.when(time(seconds(2)))).toEqual(['do send (2)'])
    expect(scenario.when(time(seconds(12)))).toEqual(['retry do send at 16000'])
    expect(scenario.when(time(seconds(16)))).toEqual(['do send (3)'])
    expect(scenario.when(time(seconds(26)))).toEqual(['SagaStuck send: no reply in time'])
    expect(scenario.status).toBe('STUCK')
  })
})

describe('an undo that fails', () => {
  it('is tried again, then the saga is stuck', () => {
    const scenario = given(booked, seat, notPaid)
    expect(scenario.when(flightNotCancelled)).toEqual(['undo flight (2)'])
    expect(scenario.when(flightNotCancelled)).toEqual(['SagaStuck flight: notCancelled'])
    expect(scenario.status).toBe('STUCK')
  })

  it('and succeeds late after all moves the saga on', () => {
    const scenario = given(booked, seat, notPaid, flightNotCancelled, flightNotCancelled)
    expect(scenario.when(flightCancelled)).toEqual([
      'stored flight-cancelled',
      'StepUndone flight',
      'undo hotel',
    ])
    expect(scenario.status).toBe('COMPENSATING')
  })
})

describe('a late reply', () => {
  it('that is read after the deadline, but before the timer runs, counts as in time', () => {
    expect(given().when({ ...booked, atMs: seconds(1_000) })).toEqual([
      'stored hotel-booked',
      'StepDone hotel',
      'do flight',
    ])
  })

  it('to the pivot moves a stuck saga on, forward or back', () => {
    const stuck = [booked, seat, time(seconds(10))]
    expect(given(...stuck).when(paid)).toEqual(['stored trip-paid', 'StepDone pay', 'do send'])
    expect(
      given(...stuck)
        .when(notPaid)
        .at(-1),
    ).toBe('undo flight')
  })

  it('of a step that was given up has the effect undone, again if the undo may have come too early', () => {
    const undoing = given(time(seconds(10)))
    expect(undoing.when(booked)).toEqual(['stored hotel-booked', 'StepSucceededLate hotel', 'undo hotel'])
    expect(undoing.when(booked)).toEqual([])
    expect(undoing.given(hotelCancelled).status).toBe('COMPENSATED')
  })

  it('after the saga was compensated opens it again until the effect is undone', () => {
    const scenario = given(time(seconds(10)), hotelCancelled)
    expect(scenario.status).toBe('COMPENSATED')
    expect(scenario.when(booked).at(-1)).toBe('undo hotel')
    expect(scenario.status).toBe('COMPENSATING')
    expect(scenario.given(hotelCancelled).status).toBe('COMPENSATED')
  })

  it('that the step was refused changes nothing: its undo is on the way', () => {
    expect(given(time(seconds(10))).when(full)).toEqual([])
  })

  it('that a refused step succeeded is undone too', () => {
    const scenario = given(full)
    expect(scenario.when(booked).at(-1)).toBe('undo hotel')
    expect(scenario.given(hotelCancelled).status).toBe('COMPENSATED')
  })

  it('that a refused pivot succeeded leaves the saga stuck, as nothing can undo it', () => {
    const scenario = given(booked, seat, notPaid)
    expect(scenario.when(paid).at(-1)).toBe('SagaStuck pay: it succeeded, must be undone, and has no undo')
  })
})

describe('a reply nobody has thought of', () => {
  it('is a fault of the record, never taken for a refusal', () => {
    const blind = saga('blind', {
      startedBy: tripRequested,
      timeout: 1,
      steps: (step) => ({
        fly: step({
          kind: 'pivot',
          command: { to: bookFlight, value: (data) => data.start },
          replies: { answered: classifies(flightAnswered, () => undefined as never) },
        }),
      }),
    })
    expect(() => new Scenario(blind).given(start).when(seat)).toThrow(
      /reply 'answered' to step 'fly' is classifies to be undefined/,
    )
  })
})

describe('a saga whose definition was changed while it was under way', () => {
  it('goes on by the names of its steps', () => {
    const before = given(booked)
    const { state } = before
    const longer = new Scenario()
    longer.state = {
      ...state,
      steps: [
        ...(state?.steps ?? []),
        { name: 'gone', status: 'done', attempt: 1, dueMs: null, succeeded: true },
      ],
    } as never
    expect(longer.when(seat).at(-1)).toBe('do pay')
  })
})
