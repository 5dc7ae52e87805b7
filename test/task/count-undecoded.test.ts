import { expect, test } from 'vitest'
import { string, topic, topology, tumbling } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const opaque = {
  ...string,
  deserialize: (): string => {
    throw new Error('the value was decoded')
  },
}
const clicks = topic('clicks', { value: opaque })

test('what is only counted is never decoded', () => {
  const driver = testDriver(
    topology('counts', (builder) => {
      const grouped = builder.stream(clicks).groupByKey()
      grouped.count({ store: 'all' })
      grouped.windowedBy(tumbling({ size: 10 })).count({ store: 'by-window' })
    }),
  )
  driver.input(clicks).pipe('a', 'x')
  driver.input(clicks).pipe('a', 'y')
  expect(driver.store<{ get(key: string): unknown }>('all').get('a')).toEqual({ value: 2, timestamp: 0 })
})
