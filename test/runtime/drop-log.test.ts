import { expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { minutes } from '../../src/base/duration.ts'
import { DropLog } from '../../src/runtime/drop-log.ts'
import { Metrics } from '../../src/runtime/metrics.ts'

it('the first dropped record of a node and reason is reported at once, the others once a minute by their number', () => {
  const clock = new ManualClock()
  const metrics = new Metrics()
  const warnings: string[] = []
  const log = new DropLog({ metrics, clock, onWarning: (message) => warnings.push(message) })
  for (let record = 0; record < 1_000; record++) metrics.drop('late', 'count-0001')
  metrics.drop('failed', 'map-0002')
  expect(warnings.splice(0)).toEqual(['1 record was dropped at node count-0001: late'])
  clock.advance(minutes(1))
  expect(warnings.splice(0)).toEqual(['999 records were dropped at node count-0001: late'])
  metrics.drop('late', 'count-0001')
  metrics.drop('nullKey', 'count-0001')
  expect(warnings.splice(0)).toEqual(['1 record was dropped at node count-0001: nullKey'])
  log.close()
  expect(warnings).toEqual(['1 record was dropped at node count-0001: late'])
})
