import { describe, expect, it } from 'vitest'
import { startKafka } from '../support/kafka/start-kafka.ts'
import { chaosBroker, ChaosRun, sessionTimeoutMs } from './chaos/chaos-run.ts'
import { planOf } from './chaos/plan.ts'
import { reportOf } from './chaos/report.ts'

/**
 * The short form of the crash tests; `npm run chaos` is the long one. Three processes of one group, one of them static,
 * are killed, stopped and closed at instants that a seed plans, and so is their broker.
 */
const seed = 11
const deadlineMs = 300_000

describe.each(['exactly_once', 'at_least_once'] as const)('%s under crashes', (guarantee) => {
  it(
    'nothing is missing, nothing is wrong, and no store is wiped',
    async () => {
      await using kafka = await startKafka({ exclusive: true, properties: chaosBroker })
      await using run = await ChaosRun.start(kafka, { guarantee, seed })
      const plan = planOf(
        seed,
        run.members.length,
        {
          kills: 4,
          leaves: 1,
          stopsMs: [sessionTimeoutMs * 0.5, sessionTimeoutMs * 1.5],
          brokerKills: 1,
          brokerRestarts: 1,
        },
        2_500,
      )
      await run.disturb(plan)
      const problems = await run.finish()
      console.info(`seed ${seed}\n${reportOf(run)}`)
      expect(problems, run.story()).toEqual([])
    },
    deadlineMs,
  )
})
