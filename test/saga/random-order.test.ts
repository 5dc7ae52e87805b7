import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide } from '../../src/saga/decide.ts'
import { evolve } from '../../src/saga/evolve.ts'
import type { SagaEvent, SagaMessage, SagaState } from '../../src/saga/state.ts'
import { replies, start, time, trip } from './trip.ts'

/**
 * The trip's saga in a world where commands and replies are slow, overtake each other and come twice. Its participants
 * are idempotent: they do a command once, undo it once, and refuse what was undone before it came.
 */
type StepName = 'hotel' | 'flight' | 'pay' | 'send'
type Sent = Extract<SagaEvent, { type: 'CommandSent' }>

interface Will {
  readonly refuses: StepName | null
  /** How often the tickets can't be sent at first. */
  readonly sendFailures: number
}

const success = { hotel: replies.booked, flight: replies.seat, pay: replies.paid, send: replies.sent }
const refusal = { hotel: replies.full, flight: replies.noSeat, pay: replies.notPaid, send: replies.failed }
const undone = { hotel: replies.hotelCancelled, flight: replies.flightCancelled }

class World {
  readonly events: SagaEvent[] = []
  /** What stood when compensation began: the steps whose effects had to go, in the order they were begun. */
  toUndo: string[] = []
  state: SagaState | null = null
  readonly active = new Set<string>()
  readonly #undone = new Set<string>()
  readonly #will: Will
  readonly #commands: Sent[] = []
  readonly #replies: SagaMessage[] = []
  #sendAttempts = 0
  #nowMs = 0

  constructor(will: Will) {
    this.#will = will
    this.tell(start)
  }

  tell(message: SagaMessage): void {
    for (const event of decide(trip, this.state, { ...message, atMs: this.#nowMs })) {
      if (event.type === 'CompensationStarted') this.toUndo = this.#standing(event.step)
      this.state = evolve(this.state, event)
      this.events.push(event)
      if (event.type === 'CommandSent') this.#commands.push(event)
    }
  }

  /** One thing happens, chosen by a number; `twice` leaves the message where it was. */
  happen(choice: number, twice: boolean): void {
    const open = this.#commands.length + this.#replies.length
    const index = choice % (open + 1)
    if (index < this.#commands.length) this.#perform(index, twice)
    else if (index < open) this.#deliver(index - this.#commands.length, twice)
    else this.#pass(choice % 7_000)
  }

  /** From here on the world is fair: everything is delivered, and time passes. */
  settle(): void {
    for (let turn = 0; turn < 500; turn++) {
      if (this.#commands.length > 0) this.#perform(0, false)
      else if (this.#replies.length > 0) this.#deliver(0, false)
      else if (this.state?.steps.some(({ dueMs }) => dueMs !== null) === true) this.#pass(1_000)
      else return
    }
    throw new Error(`the saga does not come to an end: ${JSON.stringify(this.state)}`)
  }

  #standing(failed: string): string[] {
    return (this.state?.steps ?? [])
      .filter(({ name, status }) => status === 'done' || (name === failed && status === 'sent'))
      .map(({ name }) => name)
  }

  #pass(durationMs: number): void {
    this.#nowMs += durationMs
    this.tell(time(this.#nowMs))
  }

  #perform(index: number, twice: boolean): void {
    const command = this.#commands[index] as Sent
    if (!twice) this.#commands.splice(index, 1)
    this.#replies.push(
      command.direction === 'do' ? this.#do(command.step as StepName) : this.#undo(command.step as 'hotel'),
    )
  }

  #do(step: StepName): SagaMessage {
    if (this.active.has(step)) return success[step]
    const refused = this.#undone.has(step) || this.#will.refuses === step
    if (refused || (step === 'send' && this.#sendAttempts++ < this.#will.sendFailures)) return refusal[step]
    this.active.add(step)
    return success[step]
  }

  #undo(step: 'hotel' | 'flight'): SagaMessage {
    this.active.delete(step)
    this.#undone.add(step)
    return undone[step]
  }

  #deliver(index: number, twice: boolean): void {
    const reply = this.#replies[index] as SagaMessage
    if (!twice) this.#replies.splice(index, 1)
    this.tell(reply)
  }
}

const wills = fc.record({
  refuses: fc.constantFrom<(StepName | null)[]>(null, 'hotel', 'flight', 'pay'),
  sendFailures: fc.nat(4),
})
const happenings = fc.array(fc.tuple(fc.nat(1_000_000), fc.boolean()), { maxLength: 60 })

const run = (will: Will, things: readonly (readonly [number, boolean])[]): World => {
  const world = new World(will)
  for (const [choice, twice] of things) world.happen(choice, twice)
  world.settle()
  return world
}

describe('a saga in a world that delays, reorders and repeats', () => {
  const everyRun = (check: (world: World, will: Will) => void): void =>
    fc.assert(
      fc.property(wills, happenings, (will, things) => check(run(will, things), will)),
      { numRuns: 2_000 },
    )

  it('ends with all effects or with none, or is stuck after the point of no return', () => {
    everyRun((world) => {
      const effects = [...world.active].sort()
      const status = world.state?.status
      if (status === 'COMPLETED') expect(effects).toEqual(['flight', 'hotel', 'pay', 'send'])
      else if (status === 'COMPENSATED' || status === 'REJECTED') expect(effects).toEqual([])
      else {
        expect(world.state).toMatchObject({ status: 'STUCK', failure: { step: 'send' } })
        expect(effects).toEqual(['flight', 'hotel', 'pay'])
      }
    })
  })

  it('never completes with a step that was refused', () => {
    everyRun((world, { refuses }) => {
      if (refuses !== null) expect(world.state?.status).not.toBe('COMPLETED')
    })
  })

  it('undoes exactly what stood, in reverse order', () => {
    everyRun((world) => {
      const undos = world.events.filter((event) => event.type === 'CommandSent' && event.direction === 'undo')
      expect([...new Set(undos.map((event) => (event as Sent).step))]).toEqual(world.toUndo.toReversed())
    })
  })

  it('sends a command only after the one before it has succeeded', () => {
    everyRun((world) => {
      const done = new Set<string>()
      for (const event of world.events) {
        if (event.type === 'StepDone') done.add(event.step)
        if (event.type !== 'CommandSent' || event.direction === 'undo') continue
        const before = trip.steps.slice(
          0,
          trip.steps.findIndex(({ name }) => name === event.step),
        )
        expect(before.every(({ name }) => done.has(name))).toBe(true)
      }
    })
  })

  it('comes to the same state when its events are replayed', () => {
    everyRun((world) => {
      expect(world.events.reduce<SagaState | null>(evolve, null)).toEqual(world.state)
    })
  })

  it('reaches every ending, so that the properties above say something', () => {
    const endings = new Set<string | undefined>()
    fc.assert(
      fc.property(wills, happenings, (will, things) => {
        endings.add(run(will, things).state?.status)
      }),
      { numRuns: 500, seed: 1 },
    )
    expect(endings).toEqual(new Set(['COMPENSATED', 'COMPLETED', 'REJECTED', 'STUCK']))
  })
})
