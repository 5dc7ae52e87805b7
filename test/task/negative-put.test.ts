import { expect, it } from 'vitest'
import { keyValueStore, string, topic, topology } from '../../src/index.ts'
import type { KeyValueStore } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })

it.each([-1, -5, -0.5])('a row put with the timestamp %s fails its record', (timestamp) => {
  const plan = topology('putting', (builder) => {
    builder.store(keyValueStore('s', { value: string }))
    builder.stream(words).process(
      (context) => {
        const store = context.store<KeyValueStore<string, string>>('s')
        return { process: ({ key, value }) => store.put(key, value, timestamp) }
      },
      { stores: ['s'] },
    )
  })
  using driver = testDriver(plan)
  expect(() => driver.input(words).pipe('k', 'a')).toThrow(/put with the negative timestamp -\d/)
})
