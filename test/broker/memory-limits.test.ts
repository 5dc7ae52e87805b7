import { expect, it, vi } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { memoryLimits } from '../../src/broker/log/memory-limits.ts'
import { createTopicsSchema } from '../../src/broker/protocol/apis/create-topics.ts'
import { Errors } from '../../src/broker/protocol/errors.ts'
import { TcpClient } from './support/tcp-client.ts'

it.each([
  ['the machine without a container', 8_000, 0, 4_000],
  ['the machine where Node reports that a container has no limit', 8_000, 2 ** 64, 4_000],
  ['the container', 8_000, 3_001, 1_500],
])('the memory of topics defaults to half of that of %s', (_what, machine, container, expected) => {
  expect(memoryLimits(undefined, machine, container).maxBytes).toBe(expected)
  expect(memoryLimits(7_000, machine, container).maxBytes).toBe(7_000)
})

it.each([
  ['half of the memory of its container', {}, 1_000_000],
  ['maxBytes', { maxBytes: 300_000 }, 300_000],
])('a broker refuses topics beyond %s', async (_what, options, maxBytes) => {
  vi.spyOn(process, 'constrainedMemory').mockReturnValue(2_000_001)
  const reports: unknown[] = []
  const broker = await startBroker({ ...options, onInternalError: (error) => reports.push(error) })
  const client = await TcpClient.open(broker.bootstrapServers)
  const create = async (name: string, numPartitions: number) => {
    const fields = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }
    const { topics } = await client.call(createTopicsSchema, 7, {
      topics: [fields],
      timeoutMs: 1_000,
      validateOnly: false,
    })
    return topics[0]?.errorCode
  }
  try {
    expect(await create('large', 1_000)).toBe(Errors.POLICY_VIOLATION)
    expect(await create('small', 1)).toBe(Errors.NONE)
    expect(String(reports)).toContain(`of at most ${maxBytes} bytes`)
  } finally {
    client.close()
    await broker.close()
  }
})
