import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import {
  headerText,
  refuses,
  saga,
  sagaTopology,
  seconds,
  succeeds,
  topic,
  type KeyValueStore,
  type Saga,
} from '../../src/index.ts'
import { testDriver } from '../../src/testing/test-driver.ts'
import type { TestDriver } from '../../src/testing/test-driver.ts'
import type { SagaState } from '../../src/saga/state.ts'

const t = (name: string) => topic(name, { value: z.object({ id: z.string() }) })
const requested = t('requested')

/** Steps by name, each with the letter that its topics begin with. */
const order = (steps: Readonly<Record<string, string>>): Saga =>
  saga('order', {
    startedBy: requested,
    timeout: seconds(10),
    retry: { attempts: 2 },
    steps: (step) =>
      Object.fromEntries(
        Object.entries(steps).map(([name, on]) => [
          name,
          step({
            command: { to: t(`${on}-do`), value: ({ start }) => start },
            replies: { ok: succeeds(t(`${on}-ok`)), no: refuses(t(`${on}-no`)) },
            undo: {
              to: t(`${on}-undo`),
              value: ({ start }) => start,
              replies: { ok: succeeds(t(`${on}-undone`)) },
            },
          }),
        ]),
      ),
  })

const before = order({ reserve: 'a', charge: 'b' })
const driverOf = (definition: Saga): TestDriver => testDriver(sagaTopology(definition))
const sagasOf = (driver: TestDriver): KeyValueStore<string, SagaState> => driver.store('sagas')
const reply = (driver: TestDriver, name: string): void => driver.input(t(name)).pipe('s', { id: 's' })

/** A saga that has done `reserve` and waits for `charge`, and a driver of the next version that finds it in its store. */
const deployed = (after: Saga, change: (state: SagaState) => SagaState = (state) => state): TestDriver => {
  const old = driverOf(before)
  reply(old, 'requested')
  reply(old, 'a-ok')
  const driver = driverOf(after)
  sagasOf(driver).put('s', change(sagasOf(old).get('s') as SagaState), 0)
  return driver
}

describe('a saga whose steps were renamed while it was under way', () => {
  it.each([
    ['the step that waits', { reserve: 'a', chargeCard: 'b' }],
    ['the step that is done', { reserveStock: 'a', charge: 'b' }],
    ['both', { reserveStock: 'a', chargeCard: 'b' }],
  ])('completes without sending a command twice: %s', (_, steps) => {
    const driver = deployed(order(steps))
    reply(driver, 'b-ok')
    expect(sagasOf(driver).get('s')).toMatchObject({ status: 'COMPLETED' })
    expect(driver.output(t('a-do')).readAll()).toEqual([])
    expect(driver.output(t('b-do')).readAll()).toEqual([])
  })

  it('undoes what it did under the old name', () => {
    const driver = deployed(order({ reserveStock: 'a', chargeCard: 'b' }))
    reply(driver, 'b-no')
    const [undo] = driver.output(t('a-undo')).readAll()
    expect(headerText(undo?.headers ?? [], 'idempotency-key')).toBe('s/reserve/undo')
    reply(driver, 'a-undone')
    expect(sagasOf(driver).get('s')).toMatchObject({ status: 'COMPENSATED' })
  })

  it('repeats a command under the idempotency key that its participant knows', () => {
    const driver = deployed(order({ reserve: 'a', chargeCard: 'b' }))
    driver.advanceWallClock(seconds(11))
    const [again] = driver.output(t('b-do')).readAll()
    expect(headerText(again?.headers ?? [], 'idempotency-key')).toBe('s/charge/do')
  })
})

describe('a saga with a step that its definition lacks', () => {
  const unknown = /a saga of 'order' is under way and has step '\w+', which its definition lacks/
  it.each([
    ['was removed', order({ reserve: 'a' }), undefined],
    ['was replaced by one with another command', order({ reserve: 'a', invoice: 'c' }), undefined],
    [
      'was renamed, and its state is of a version that stored no topics',
      order({ reserve: 'a', chargeCard: 'b' }),
      (state: SagaState): SagaState => ({
        ...state,
        steps: state.steps.map(({ command: _command, ...step }) => step),
      }),
    ],
  ] as const)('is refused at a message and at a timer, and stays as it is: it %s', (_, after, change) => {
    for (const move of [
      (driver: TestDriver) => reply(driver, 'a-ok'),
      (driver: TestDriver) => driver.advanceWallClock(seconds(11)),
    ]) {
      const driver = deployed(after, change)
      const stored = sagasOf(driver).get('s')
      expect(() => move(driver)).toThrow(unknown)
      expect(sagasOf(driver).get('s')).toEqual(stored)
    }
  })

  it('is left alone where it has ended', () => {
    const old = driverOf(before)
    for (const each of ['requested', 'a-ok', 'b-ok']) reply(old, each)
    const driver = driverOf(order({ reserve: 'a' }))
    sagasOf(driver).put('s', sagasOf(old).get('s'), 0)
    reply(driver, 'a-ok')
    expect(sagasOf(driver).get('s')).toMatchObject({ status: 'COMPLETED' })
  })
})
