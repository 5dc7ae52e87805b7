import { expect, it } from 'vitest'
import { createBrokerCore, startBroker } from '../../src/broker/index.ts'
import { DEFAULT_SETTINGS } from '../../src/broker/settings.ts'

it.each([
  [{ tpics: [] }, "startBroker has no option 'tpics'; did you mean 'topics'?"],
  [{ port: 70_000 }, 'startBroker: port is 70000; give a port from 0 to 65535'],
  [{ maxBytes: 0.5 }, 'startBroker: maxBytes is 0.5; give a whole number above 0'],
  [
    { settings: { autoCreateTopics: true } },
    "startBroker: settings has no option 'autoCreateTopics'; its options are autoCreateTopicsEnable, ",
  ],
  [
    { settings: { numPartitions: 0 } },
    'startBroker: settings: numPartitions is 0; give a whole number above 0',
  ],
  [{ topics: [{}] }, "startBroker: topics[0]: the option 'name' is missing; give a text that is not empty"],
  [
    { topics: [{ name: 'a' }, { name: 'b', partitons: 3 }] },
    "startBroker: topics[1] has no option 'partitons'; did you mean 'partitions'?",
  ],
  [
    { topics: [{ name: 'a', configs: { 'retention.ms': 5 } }] },
    "startBroker: topics[0]: configs is an object (retention.ms); give texts by the names of topic configs, as { 'retention.ms': '60000' }",
  ],
])('the embedded broker refuses %j', async (options, message) => {
  await expect(startBroker(options as never)).rejects.toThrow(message)
  if (!('port' in options) && !('maxBytes' in options))
    expect(() => createBrokerCore(options as never)).toThrow(
      message.replace('startBroker', 'createBrokerCore'),
    )
})

it('a setting of undefined is the default', () => {
  const { broker } = createBrokerCore({
    settings: { numPartitions: undefined, offsetMetadataMaxBytes: 1 } as never,
  })
  expect(broker.settings).toEqual({ ...DEFAULT_SETTINGS, offsetMetadataMaxBytes: 1 })
})
