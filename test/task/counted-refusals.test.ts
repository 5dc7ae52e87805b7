import { describe, expect, it } from 'vitest'
import type { VersionedStore, WindowStore } from '../../src/index.ts'
import { string, topic, topology, versionedStore, windowStore } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const events = topic('events', { value: string })

describe('what a store refuses a processor', () => {
  it('for being older than the history of a versioned store is counted as expired', () => {
    const results: unknown[] = []
    const driver = testDriver(
      topology('versions', (builder) => {
        builder.store(versionedStore('rows', { value: string, historyRetention: 10 }))
        builder.stream(events).process(
          (context) => {
            const rows = context.store<VersionedStore<string, string>>('rows')
            return {
              process: ({ key, value, timestamp }) => results.push(rows.put(key, value, timestamp)),
            }
          },
          { name: 'versions', stores: ['rows'] },
        )
      }),
    )
    for (const timestamp of [19, 0, 12]) driver.input(events).pipe('a', 'x', { timestamp })
    expect(results).toEqual(['latest', 'refused', 19])
    expect(driver.dropped()).toEqual({ expired: 1 })
    expect(driver.drops()[0]).toMatchObject({ node: 'versions', reason: 'expired' })
  })

  it('for being older than the retention of a window store is counted as expired', () => {
    const driver = testDriver(
      topology('windows', (builder) => {
        builder.store(windowStore('rows', { value: string, size: 5, retention: 10 }))
        builder.stream(events).process(
          (context) => {
            const rows = context.store<WindowStore<string, string>>('rows')
            return {
              process: ({ key, value, timestamp }) => void rows.put(key, value, timestamp, timestamp),
            }
          },
          { name: 'windows', stores: ['rows'] },
        )
      }),
    )
    for (const timestamp of [19, 0, 12]) driver.input(events).pipe('a', 'x', { timestamp })
    expect(driver.dropped()).toEqual({ expired: 1 })
  })
})
