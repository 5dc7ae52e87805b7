import { describe, expect, it } from 'vitest'
import { seconds } from '../../src/base/duration.ts'
import type { Saga } from '../../src/saga/saga.ts'
import { saga } from '../../src/saga/saga.ts'
import { addSaga, sagaTopology } from '../../src/saga/saga-topology.ts'
import type { SagaState } from '../../src/saga/state.ts'
import { succeeds } from '../../src/saga/step.ts'
import type { KeyValueStore } from '../../src/state/store.ts'
import { testDriver } from '../../src/testing/test-driver.ts'
import type { TestDriver } from '../../src/testing/test-driver.ts'
import { headerText } from '../../src/topic/headers.ts'
import { topology } from '../../src/dsl/builder.ts'
import {
  bookFlight,
  bookHotel,
  cancelHotel,
  flightAnswered,
  hotelBooked,
  hotelCancelled,
  hotelFull,
  sendTickets,
  ticketsSent,
  trip,
  tripEnded,
  tripPaid,
  tripRequested,
} from './trip.ts'

const note = { note: 'room 7' }
const driverOf = (definition: Saga = trip): TestDriver => testDriver(sagaTopology(definition))
const begin = (driver: TestDriver, id = 'trip-1', guest = 'Ada'): void =>
  driver.input(tripRequested).pipe(id, { guest })
const stateOf = (driver: TestDriver, id = 'trip-1'): SagaState | null =>
  driver.store<KeyValueStore<string, SagaState>>('sagas').get(id)

describe('a saga as a topology', () => {
  it('is one processor with one store, a source for each input and a sink for each output', () => {
    const { nodes, stores, name } = sagaTopology(trip)
    expect(name).toBe('trip')
    expect(nodes.filter(({ kind }) => kind === 'process')).toMatchObject([
      { name: 'trip', verb: 'saga', stores: ['sagas'] },
    ])
    expect(stores).toMatchObject([{ name: 'sagas', kind: 'keyValue', changelog: true }])
    expect(nodes.filter(({ kind }) => kind === 'source')).toHaveLength(11)
    expect(nodes.filter(({ kind }) => kind === 'sink')).toHaveLength(7)
  })

  it('runs from start to outcome', () => {
    const driver = driverOf()
    begin(driver)
    driver.input(hotelBooked).pipe('trip-1', note)
    driver.input(flightAnswered).pipe('trip-1', { seat: '12A' })
    driver.input(tripPaid).pipe('trip-1', note)
    driver.input(ticketsSent).pipe('trip-1', note)
    expect(driver.output(tripEnded).readKeyValues()).toEqual([
      { key: 'trip-1', value: { guest: 'Ada', status: 'COMPLETED', why: null } },
    ])
    expect(stateOf(driver)?.status).toBe('COMPLETED')
  })

  it('builds an undo from the reply of its step', () => {
    const driver = driverOf()
    begin(driver)
    driver.input(hotelBooked).pipe('trip-1', note)
    driver.input(flightAnswered).pipe('trip-1', { seat: null })
    expect(driver.output(cancelHotel).readKeyValues()).toEqual([{ key: 'trip-1', value: note }])
  })

  it('tells an outcome once, also where a late reply opened the saga again', () => {
    const driver = driverOf()
    begin(driver)
    driver.advanceWallClock(seconds(10))
    driver.input(hotelCancelled).pipe('trip-1', note)
    driver.input(hotelBooked).pipe('trip-1', note)
    driver.input(hotelCancelled).pipe('trip-1', note)
    expect(driver.output(cancelHotel).readAll()).toHaveLength(2)
    expect(driver.output(tripEnded).readAll()).toHaveLength(1)
  })

  it('keeps sagas apart by key, and their timers too', () => {
    const driver = driverOf()
    begin(driver, 'trip-1')
    driver.advanceWallClock(seconds(5))
    begin(driver, 'trip-2', 'Grace')
    driver.advanceWallClock(seconds(5))
    expect(stateOf(driver, 'trip-1')?.status).toBe('COMPENSATING')
    expect(stateOf(driver, 'trip-2')?.status).toBe('RUNNING')
    driver.advanceWallClock(seconds(5))
    expect(stateOf(driver, 'trip-2')?.status).toBe('COMPENSATING')
  })

  it('takes its timers up again from the store, as after a restart', () => {
    const { state } = {
      state: {
        sagaId: 'trip-9',
        status: 'RUNNING',
        start: { json: { guest: 'Ada' } },
        startedAtMs: 0,
        steps: [{ name: 'hotel', status: 'sent', attempt: 1, dueMs: 3_000, succeeded: false }],
        replies: {},
        failure: null,
        publishedOutcome: null,
      } satisfies SagaState,
    }
    const driver = driverOf()
    driver.store<KeyValueStore<string, SagaState>>('sagas').put('trip-9', state, 0)
    driver.advanceWallClock(seconds(4))
    expect(
      driver
        .output(cancelHotel)
        .readAll()
        .map(({ key }) => key),
    ).toEqual(['trip-9'])
  })

  it('names each command forever, over its attempts too', () => {
    const driver = driverOf()
    begin(driver)
    driver.input(hotelBooked).pipe('trip-1', note)
    driver.advanceWallClock(seconds(10))
    driver.advanceWallClock(seconds(1))
    const keys = driver
      .output(bookFlight)
      .readAll()
      .map(({ headers }) => headerText(headers, 'idempotency-key'))
    expect(keys).toEqual(['trip-1/flight/do', 'trip-1/flight/do'])
  })

  it('passes on a trace and names its cause, but not what the cause said of itself', () => {
    const driver = driverOf()
    const headers = [
      ['traceparent', new TextEncoder().encode('00-1')],
      ['ce_id', new TextEncoder().encode('event-7')],
      ['ce_time', new TextEncoder().encode('now')],
    ] as const
    driver.input(tripRequested).pipe('trip-1', { guest: 'Ada' }, { headers })
    const sent = driver.output(bookHotel).readAll()[0]?.headers ?? []
    expect(Object.fromEntries(sent.map(([name]) => [name, headerText(sent, name)]))).toEqual({
      traceparent: '00-1',
      ce_specversion: '1.0',
      ce_id: 'trip-1/hotel/do',
      ce_source: '/sagas/trip',
      ce_type: 'book-hotel',
      ce_subject: 'trip-1',
      ce_correlationid: 'trip-1',
      ce_causationid: 'event-7',
      'idempotency-key': 'trip-1/hotel/do',
    })
  })

  it('refuses inputs that are not partitioned alike', () => {
    expect(() => testDriver(sagaTopology(trip), { partitions: { 'trip-requested': 2 } })).toThrow(
      /as many partitions as each other.*trip-requested has 2/,
    )
  })

  it('stands in a topology beside other steps', () => {
    const driver = testDriver(
      topology('agency', (builder) => {
        addSaga(builder, trip, { store: 'trips' })
        builder
          .stream(tripEnded)
          .mapValues(({ guest }) => ({ guest }))
          .to(sendTickets)
      }),
    )
    begin(driver)
    driver.input(hotelFull).pipe('trip-1', note)
    expect(driver.output(sendTickets).readKeyValues()).toEqual([{ key: 'trip-1', value: { guest: 'Ada' } }])
  })
})

describe('a saga that cannot build its command', () => {
  const fragile = saga('fragile', {
    startedBy: tripRequested,
    timeout: seconds(10),
    retry: { attempts: 3 },
    steps: (step) => ({
      send: step({
        kind: 'retriable',
        command: {
          to: sendTickets,
          value: ({ start }) => {
            if (start.guest === 'Nobody') throw new Error('there is no such guest')
            return start.guest === 'Nothing' ? ({} as never) : start
          },
        },
        replies: { sent: succeeds(ticketsSent) },
      }),
    }),
  })
  const sentBefore = (guest: string): SagaState => ({
    sagaId: guest,
    status: 'RUNNING',
    start: { json: { guest } },
    startedAtMs: 0,
    steps: [{ name: 'send', status: 'sent', attempt: 1, dueMs: 1_000, succeeded: false }],
    replies: {},
    failure: null,
    publishedOutcome: null,
  })

  it.each([
    ['throws', 'Nobody', 'there is no such guest'],
    ['breaks its contract', 'Nothing', 'guest'],
  ])('for a timer (%s) is stuck, and holds up no other', (_what, guest, reason) => {
    const driver = driverOf(fragile)
    const store = driver.store<KeyValueStore<string, SagaState>>('sagas')
    for (const each of [guest, 'Zoe']) store.put(each, sentBefore(each), 0)
    driver.advanceWallClock(seconds(2))
    expect(stateOf(driver, guest)).toMatchObject({ status: 'STUCK', failure: { step: 'send' } })
    expect(stateOf(driver, guest)?.failure?.reason).toContain(reason)
    expect(
      driver
        .output(sendTickets)
        .readAll()
        .map(({ key }) => key),
    ).toEqual(['Zoe'])
  })

  it.each(['Nobody', 'Nothing'])(
    'for a record (%s) leaves it to the failure policy, and no trace in the store',
    (guest) => {
      const driver = testDriver(sagaTopology(fragile), { policies: { processingFailure: 'deadLetter' } })
      begin(driver, 'trip-1', guest)
      begin(driver, 'trip-2', 'Zoe')
      expect(stateOf(driver, 'trip-1')).toBeNull()
      expect(driver.topics()).toContain('dead-letters')
      expect(
        driver
          .output(sendTickets)
          .readAll()
          .map(({ key }) => key),
      ).toEqual(['trip-2'])
    },
  )
})

describe('a reply to a saga that does not exist', () => {
  it('is a fault of the record unless the saga says otherwise', () => {
    expect(() => driverOf().input(tripPaid).pipe('trip-7', note)).toThrow(/no saga of 'trip' that this reply/)
  })

  it('is passed over where the saga expects such replies', () => {
    const driver = driverOf({ ...trip, whenMissing: 'ignore' })
    driver.input(tripPaid).pipe('trip-7', note)
    expect(stateOf(driver, 'trip-7')).toBeNull()
  })
})
