import { describe, expect, it } from 'vitest'
import { startKafka } from '../support/kafka/start-kafka.ts'
import {
  applicationOf,
  chaosBroker,
  ChaosRun,
  pause,
  sessionTimeoutMs,
  settingsUnderChaos,
} from './chaos/chaos-run.ts'
import { stealIdentity, stopInTransaction, unseenOutputs } from './chaos/zombies.ts'

/** Processes that were given up for dead and are not: nothing they write is seen by a reader of committed records. */
const guarantee = 'exactly_once'
const deadlineMs = 180_000

describe('a process that hangs in the middle of a transaction', () => {
  it.each([
    { what: 'fenced by its generation', forMs: sessionTimeoutMs * 1.5, transactionTimeoutMs: 20_000 },
    { what: 'fenced by its epoch', forMs: sessionTimeoutMs * 3, transactionTimeoutMs: 4_000 },
  ])(
    'is $what when it comes back, and joins again',
    async ({ forMs, transactionTimeoutMs }) => {
      await using kafka = await startKafka({ exclusive: true, properties: chaosBroker })
      await using run = await ChaosRun.start(kafka, {
        guarantee,
        seed: 3,
        staticMembers: 0,
        settings: { ...settingsUnderChaos, transactionTimeoutMs, commitIntervalMs: 1_000 },
        ratePerSecond: 4_000,
      })
      const [zombie] = run.members
      if (zombie === undefined) throw new Error('there is no member')
      const { pid } = zombie
      await run.hasWorked(pid, 0, 30_000)
      await stopInTransaction(run, kafka.brokers, zombie, applicationOf(guarantee))
      run.mark('the zombie is stopped')
      await pause(forMs)
      run.mark('the zombie comes back')
      const backMs = Date.now()
      zombie.continue()
      await run.hasWorked(pid, backMs, 60_000)
      expect(await run.finish(), run.story()).toEqual([])
      expect(await unseenOutputs(run, kafka.brokers, pid)).toBeGreaterThan(0)
    },
    deadlineMs,
  )
})

describe('two processes with one name in their transactions', () => {
  it(
    'the older one is fenced and ends, and says why; nothing it did counts twice',
    async () => {
      await using kafka = await startKafka({ exclusive: true, properties: chaosBroker })
      await using run = await ChaosRun.start(kafka, { guarantee, seed: 5, members: 2 })
      const [old] = run.members
      if (old === undefined) throw new Error('there is no member')
      await run.hasWorked(old.pid, 0, 30_000)
      const usurper = run.addMember('usurper')
      stealIdentity(run, applicationOf(guarantee), old, usurper)
      old.expectEnd()
      run.mark('a usurper starts')
      usurper.start()
      await old.end()
      const failure = old.told().find((telling) => telling.kind === 'failure')
      expect(failure, run.story()).toMatchObject({ code: 'PRODUCER_FENCED', message: expect.any(String) })
      await run.hasWorked(usurper.pid, 0, 60_000)
      expect(await run.finish(), run.story()).toEqual([])
    },
    deadlineMs,
  )
})
