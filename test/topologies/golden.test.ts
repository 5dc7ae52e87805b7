import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { TopologySnapshot } from 'millrace'
import {
  describeTopology,
  diffTopologies,
  dotOf,
  mermaidOf,
  snapshotOf,
  validateTogether,
  validateTopology,
} from 'millrace'
import { choreography, hybrid, orchestration } from '../../topologies/all.ts'
import { orderProcessor } from '../../topologies/hands-on.ts'
import { orderAnalytics } from '../../topologies/order-analytics.ts'
import { storyteller } from '../../topologies/storyteller.ts'

const all = [...choreography, ...orchestration, ...hybrid]
/** Those that run beside the order system, too. */
const every = [...all, orderAnalytics, orderProcessor, storyteller(() => {})]
const golden = (name: string): string => `${import.meta.dirname}/../golden/${name}`

/**
 * The topologies as they were when somebody last looked. After a change that is meant, `npx vitest run -u test/topologies`
 * writes them again, and the review shows what has changed; the test before says what that breaks in a running system.
 */
describe.each(every.map((topology) => [topology.name, topology] as const))('%s', (name, topology) => {
  it('breaks nothing that runs', () => {
    const file = golden(`${name}.json`)
    const before = existsSync(file)
      ? (JSON.parse(readFileSync(file, 'utf8')) as TopologySnapshot)
      : snapshotOf(topology)
    const broken = diffTopologies(before, topology).filter(({ effect }) => effect === 'breaking')
    expect(broken.map(({ message, remedy }) => `${message}; ${remedy}`)).toEqual([])
  })

  it('is as it was', async () => {
    await expect(describeTopology(topology)).toMatchFileSnapshot(golden(`${name}.txt`))
    await expect(`${JSON.stringify(snapshotOf(topology), null, 2)}\n`).toMatchFileSnapshot(
      golden(`${name}.json`),
    )
  })

  it('is drawn as it was', async () => {
    await expect(mermaidOf([topology])).toMatchFileSnapshot(golden(`${name}.mmd`))
    await expect(dotOf([topology])).toMatchFileSnapshot(golden(`${name}.dot`))
  })

  it('has no problems', () => {
    expect(validateTopology(topology)).toEqual([])
  })
})

describe('the order system', () => {
  it('has one circle of events: a failed payment comes back to the inventory, which ends it', () => {
    expect(validateTogether(all).map(({ message }) => message)).toEqual([
      'events go in a circle: inventory → inventory-updated → payment → payment-failed → inventory',
    ])
  })

  it('is drawn as it was, its services joined by topics alone', async () => {
    await expect(mermaidOf(choreography)).toMatchFileSnapshot(golden('choreography.mmd'))
    await expect(mermaidOf(orchestration)).toMatchFileSnapshot(golden('orchestration.mmd'))
  })
})
