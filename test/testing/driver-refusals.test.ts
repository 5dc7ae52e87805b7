import { describe, expect, it } from 'vitest'
import { keyValueStore, string, topic, topology } from '../../src/index.ts'
import type { KeyValueStore } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })
const copies = topic('copies', { value: string })
const copying = topology('copying', (builder) => builder.stream(words).to(copies))

describe('the test driver refuses', () => {
  it('all work once it is closed, and can still be read', () => {
    const driver = testDriver(copying)
    driver.input(words).pipe('k', 'v')
    driver.close()
    driver.close()
    const closed = expect.objectContaining({ code: 'TEST_DRIVER_CLOSED' }) as Error
    expect(() => driver.input(words).pipe('k', 'v')).toThrow(closed)
    expect(() => driver.advanceWallClock(1)).toThrow(closed)
    expect(() => driver.commit()).toThrow(closed)
    expect(driver.output(copies).readAll()).toHaveLength(1)
  })
})

describe('the test driver fails a record, as production does', () => {
  const skipping = { policies: { productionFailure: 'skip', processingFailure: 'skip' } } as const

  it.each<[string, unknown]>([
    ['a text as a value', [['trace', 'text']]],
    ['an object', { trace: 'text' }],
    ['no value', [['trace', undefined]]],
    ['a number as a name', [[5, new Uint8Array(1)]]],
    ['one pair', ['trace', new Uint8Array(1)]],
    ['a text', 'trace'],
  ])('whose headers are none: %s', (_what, headers) => {
    const forwarding = topology('forwarding', (builder) => {
      builder.store(keyValueStore('seen', { value: string }))
      const processed = builder.stream(words).process<string, string>(
        (context) => ({
          process: ({ key, value, timestamp }) => {
            const given = (value === 'bad' ? headers : []) as []
            if (key === 'put')
              context.store<KeyValueStore<string, string>>('seen').put(value, value, timestamp, given)
            else context.forward({ key, value, headers: given })
          },
        }),
        { stores: ['seen'] },
      )
      processed.to(copies)
    })
    using driver = testDriver(forwarding, skipping)
    for (const key of ['put', 'forward'])
      for (const value of ['good', 'bad', 'better']) driver.input(words).pipe(key, value)
    expect(driver.rows('seen').map(([key]) => key)).toEqual(['better', 'good'])
    expect(driver.output(copies).readAll()).toHaveLength(2)
    expect(driver.dropped()).toEqual({ failed: 2 })
  })
})
