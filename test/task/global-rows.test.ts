import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { json, string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/test-driver.ts'
import type { TestDriver } from '../../src/testing/test-driver.ts'

const rates = topic('rates', { value: z.object({ rate: z.number() }) })
const orders = topic('orders', { value: string })
const priced = topic('priced', { value: json(z.number()) })
const pricing = topology('pricing', (builder) => {
  const table = builder.globalTable(rates, { store: 'rates' })
  builder
    .stream(orders)
    .join(
      table,
      ({ value }) => value,
      (_, { rate }) => rate,
    )
    .to(priced)
})
const junk = new TextEncoder().encode('junk')

const read = (driver: TestDriver): void => {
  driver.input(rates).pipe('usd', { rate: 1 })
  driver.input(rates).pipeBytes(new TextEncoder().encode('eur'), junk)
  driver.input(rates).pipe('chf', { rate: 2 })
  for (const currency of ['usd', 'eur', 'chf']) driver.input(orders).pipe('o', currency)
}

describe('a row of a global table that cannot be read', () => {
  it('fails with topic, partition, offset and node under the policy fail', () => {
    using driver = testDriver(pricing)
    expect(() => read(driver)).toThrow(/topic rates, partition 0, offset 1, node \S+\)/)
  })

  it('is left out and counted under skip, and its neighbours stay', () => {
    using driver = testDriver(pricing, { policies: { deserializationFailure: 'skip' } })
    read(driver)
    expect(
      driver
        .output(priced)
        .readAll()
        .map(({ value }) => value),
    ).toEqual([1, 2])
    expect(driver.dropped()).toEqual({ failed: 1 })
  })
})
