import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { CacheBudget } from '../../src/state/cache-budget.ts'
import { openLmdbStores } from '../../src/state/open-lmdb-stores.ts'
import type { KeyValueStore } from '../../src/state/store.ts'
import { string } from '../../src/topic/serdes.ts'
import type { StoreDefinition } from '../../src/topology/store-definition.ts'

const definition = (name: string): StoreDefinition => ({
  kind: 'keyValue',
  timestamped: false,
  name,
  key: string,
  value: string,
  changelog: true,
  storage: 'disk',
})

it('the stores of all tasks share one budget, and what a task gives up is for the others', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-budget-'))
  const budget = new CacheBudget(12_000)
  const open = (task: string): ReturnType<typeof openLmdbStores> =>
    openLmdbStores(join(directory, task), { clock: new ManualClock(), budget })
  const first = open('0_0')
  const second = open('0_1')
  let flushed = 0
  const changelog = { append: () => void flushed++ }
  const store = first.open(definition('a'), changelog) as KeyValueStore<string, string>
  first.open(definition('b'), changelog)
  second.open(definition('c'), changelog)
  expect(budget.shareBytes).toBe(4_000)
  store.flush()
  for (let index = 0; index < 100; index++) store.put(`key ${index}`, 'value', index)
  expect(flushed).toBeGreaterThan(0)
  store.flush()
  await second.close()
  expect(budget.shareBytes).toBe(6_000)
  await first.close()
  rmSync(directory, { recursive: true })
})
