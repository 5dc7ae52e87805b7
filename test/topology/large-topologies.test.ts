import { describe, expect, it } from 'vitest'
import {
  describeTopology,
  diffTopologies,
  dotOf,
  mermaidOf,
  snapshotOf,
  string,
  topic,
  topology,
  validateTogether,
  validateTopology,
} from '../../src/index.ts'
import type { Stream, Topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import { longestChain } from '../../src/task/chain-length.ts'

const input = topic('in', { key: string, value: string })
const output = topic('out', { key: string, value: string })

const chainOf = (steps: number): Topology =>
  topology('chain', (builder) => {
    let stream: Stream<string, string> = builder.stream(input)
    for (let step = 0; step < steps; step++) stream = stream.mapValues((value) => value)
    stream.to(output)
  })

const branchesOf = (branches: number): Topology =>
  topology('branches', (builder) => {
    const stream = builder.stream(input)
    for (let branch = 0; branch < branches; branch++) stream.filter(() => true).to(output)
  })

describe('a topology of ten thousand nodes', () => {
  it.each([
    ['in a row', chainOf(10_000)],
    ['side by side', branchesOf(5_000)],
  ])('%s is checked, described, compared and drawn', (_, large) => {
    expect(validateTopology(large)).toEqual([])
    expect(validateTogether([large])).toEqual([])
    expect(describeTopology(large)).toContain('Sub-topology: 0')
    expect(diffTopologies(snapshotOf(large), snapshotOf(large))).toEqual([])
    expect(dotOf(large).length).toBeGreaterThan(100_000)
    expect(mermaidOf(large).length).toBeGreaterThan(100_000)
  })
})

describe('a chain of steps', () => {
  it('runs up to the longest that a task runs', () => {
    // Source and sink are steps too.
    const driver = testDriver(chainOf(longestChain - 2))
    driver.input(input).pipe('k', 'v')
    expect(driver.output(output).readKeyValues()).toEqual([{ key: 'k', value: 'v' }])
    driver.close()
  })

  it('is refused beyond that, by the step that is one too many', () => {
    expect(() => testDriver(chainOf(longestChain - 1))).toThrow(
      expect.objectContaining({ code: 'CHAIN_TOO_LONG', actor: 'author' }),
    )
  })
})
