import * as z from 'zod'
import type { Topic } from '../../src/topic/topic.ts'
import { topic } from '../../src/topic/topic.ts'
import { seconds } from '../../src/base/duration.ts'
import { decide } from '../../src/saga/decide.ts'
import { evolve } from '../../src/saga/evolve.ts'
import type { Saga } from '../../src/saga/saga.ts'
import { saga } from '../../src/saga/saga.ts'
import type { SagaEvent, SagaMessage, SagaState } from '../../src/saga/state.ts'
import { classifies, refuses, succeeds } from '../../src/saga/step.ts'

/** A trip to test sagas with: a hotel and a flight are booked, the trip is paid, and the tickets are sent. */
const Trip = z.object({ guest: z.string() })
const Answer = z.object({ note: z.string() })
const trips = (name: string): Topic<string, z.output<typeof Trip>> => topic(name, { value: Trip })
const answers = (name: string): Topic<string, z.output<typeof Answer>> => topic(name, { value: Answer })

export const tripRequested = trips('trip-requested')
export const bookHotel = trips('book-hotel')
export const hotelBooked = answers('hotel-booked')
export const hotelFull = answers('hotel-full')
export const cancelHotel = answers('cancel-hotel')
export const hotelCancelled = answers('hotel-cancelled')
export const bookFlight = trips('book-flight')
export const flightAnswered = topic('flight-answered', { value: z.object({ seat: z.string().nullable() }) })
const cancelFlight = trips('cancel-flight')
export const flightCancelled = answers('flight-cancelled')
const flightNotCancelled = answers('flight-not-cancelled')
const payTrip = trips('pay-trip')
export const tripPaid = answers('trip-paid')
const tripNotPaid = answers('trip-not-paid')
export const sendTickets = trips('send-tickets')
export const ticketsSent = answers('tickets-sent')
const ticketsFailed = answers('tickets-failed')
export const tripEnded = topic('trip-ended', {
  value: z.object({ guest: z.string(), status: z.string(), why: z.string().nullable() }),
})

export const trip: Saga = saga('trip', {
  startedBy: tripRequested,
  timeout: seconds(10),
  steps: (step) => ({
    hotel: step({
      command: { to: bookHotel, value: ({ start }) => start },
      replies: { booked: succeeds(hotelBooked), full: refuses(hotelFull) },
      undo: {
        to: cancelHotel,
        value: ({ reply }) => ({ note: reply(hotelBooked)?.note ?? 'in doubt' }),
        replies: { cancelled: succeeds(hotelCancelled) },
      },
    }),
    flight: step({
      command: { to: bookFlight, value: ({ start }) => start },
      replies: {
        answered: classifies(flightAnswered, ({ seat }) => (seat === null ? 'refusal' : 'success')),
      },
      retry: { attempts: 2, backoff: seconds(1) },
      undo: {
        to: cancelFlight,
        value: ({ start }) => start,
        replies: { cancelled: succeeds(flightCancelled), notCancelled: refuses(flightNotCancelled) },
        retry: { attempts: 2 },
      },
    }),
    pay: step({
      kind: 'pivot',
      command: { to: payTrip, value: ({ start }) => start },
      replies: { paid: succeeds(tripPaid), notPaid: refuses(tripNotPaid) },
    }),
    send: step({
      kind: 'retriable',
      command: { to: sendTickets, value: ({ start }) => start },
      replies: { sent: succeeds(ticketsSent), failed: refuses(ticketsFailed) },
      retry: { attempts: 3, backoff: seconds(2) },
    }),
  }),
  outcome: {
    to: tripEnded,
    value: ({ start }, { status, failure }) => ({
      guest: start.guest,
      status,
      why: failure === null ? null : `${failure.step}: ${failure.reason}`,
    }),
  },
})

const atStart: SagaMessage = { type: 'start', sagaId: 'trip-1', start: { json: { guest: 'Ada' } }, atMs: 0 }

/** Given messages, when one more comes, then these events follow. */
export class Scenario {
  readonly #saga: Saga
  state: SagaState | null = null

  constructor(definition: Saga = trip) {
    this.#saga = definition
  }

  /** Says every event of a message in a word or two. */
  when(message: SagaMessage): readonly string[] {
    const events = decide(this.#saga, this.state, message)
    for (const event of events) this.state = evolve(this.state, event)
    return events.map(inShort)
  }

  given(...messages: readonly SagaMessage[]): this {
    for (const message of messages) this.when(message)
    return this
  }

  get status(): SagaState['status'] | undefined {
    return this.state?.status
  }
}

export const given = (...messages: readonly SagaMessage[]): Scenario =>
  new Scenario().given(atStart, ...messages)
export const start: SagaMessage = atStart
export const time = (atMs: number): SagaMessage => ({ type: 'time', atMs })

const reply = <V>(from: Topic<string, V>, value: V): SagaMessage => ({
  type: 'reply',
  topic: from.name,
  value,
  stored: { json: value },
  atMs: 0,
})
const note = { note: 'n' }
export const replies = {
  booked: reply(hotelBooked, { note: 'room 7' }),
  full: reply(hotelFull, note),
  hotelCancelled: reply(hotelCancelled, note),
  seat: reply(flightAnswered, { seat: '12A' }),
  noSeat: reply(flightAnswered, { seat: null }),
  flightCancelled: reply(flightCancelled, note),
  flightNotCancelled: reply(flightNotCancelled, note),
  paid: reply(tripPaid, note),
  notPaid: reply(tripNotPaid, note),
  sent: reply(ticketsSent, note),
  failed: reply(ticketsFailed, note),
} as const

const inShort = (event: SagaEvent): string => {
  switch (event.type) {
    case 'CommandSent':
      return `${event.direction} ${event.step}${event.attempt === 1 ? '' : ` (${event.attempt})`}`
    case 'RetryScheduled':
      return `retry ${event.direction} ${event.step} at ${event.dueMs}`
    case 'ReplyStored':
      return `stored ${event.topic}`
    case 'StepDone':
    case 'StepRefused':
    case 'StepUndone':
    case 'StepSucceededLate':
      return `${event.type} ${event.step}`
    case 'CompensationStarted':
    case 'SagaStuck':
      return `${event.type} ${event.step}: ${event.reason}`
    case 'SagaStarted':
    case 'SagaCompleted':
    case 'SagaCompensated':
    case 'SagaRejected':
      return event.type
  }
}
