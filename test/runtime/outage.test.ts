import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { InjectedFault } from '../../src/broker/index.ts'
import type { Application, SettingsInput } from '../../src/index.ts'
import { start, string, topic, topology } from '../../src/index.ts'
import { useLocalBroker } from '../support/local-broker.ts'
import { latestByKey } from '../support/topic-client.ts'

/** Coordinators that do not answer for longer than a request is tried: the application waits, and nothing counts twice. */
describe('an application whose coordinators are away for longer than requestTimeoutMs', () => {
  const local = useLocalBroker({ settings: { groupMinSessionTimeoutMs: 500 } })

  const input = (name: string) => topic(`${name}-input`, { value: string })
  const counts = (name: string) => topic(`${name}-counts`, { value: string })

  const counting = async (name: string, settings: Partial<SettingsInput>): Promise<Application> => {
    await local.client.create(input(name), counts(name))
    const program = topology(name, (builder) => {
      builder
        .stream(input(name))
        .groupByKey()
        .count({ store: 'counted' })
        .toStream()
        .mapValues(String)
        .to(counts(name))
    })
    const application = await start(program, {
      bootstrapServers: local.broker.bootstrapServers,
      stateDirectory: join(local.folder, name),
      requestTimeoutMs: 300,
      ...settings,
    })
    await application.waitFor('running')
    return application
  }

  const write = (name: string, times: number): Promise<void> =>
    local.client.write(
      input(name),
      Array.from({ length: times }, () => ({ key: 'k', value: 'v' })),
    )

  const countsTold = async (name: string, last: number): Promise<readonly (string | null)[]> => {
    const told = await local.client.readUntil(
      counts(name),
      (records) => latestByKey(records).get('k') === String(last),
      20_000,
    )
    return told.map(({ value }) => value)
  }

  const upTo = (last: number): readonly string[] =>
    Array.from({ length: last }, (_, index) => String(index + 1))

  const failing = (error: Extract<InjectedFault, { kind: 'error' }>['error'], ...apis: readonly string[]) => {
    let refused = 0
    const stops = apis.map((api) =>
      local.broker.core.onRequest(api, () => {
        refused++
        return { kind: 'error', error }
      }),
    )
    return {
      stop: () => stops.forEach((stop) => stop()),
      get refused() {
        return refused
      },
    }
  }

  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  it.each(['at_least_once', 'exactly_once'] as const)(
    'goes on when they are back (%s)',
    async (processingGuarantee) => {
      const name = `away-${processingGuarantee.replaceAll('_', '-')}`
      const application = await counting(name, { processingGuarantee })
      await write(name, 3)
      expect(await countsTold(name, 3)).toEqual(upTo(3))
      const outage = failing(
        'COORDINATOR_NOT_AVAILABLE',
        ...['OffsetCommit', 'TxnOffsetCommit', 'EndTxn', 'InitProducerId'],
      )
      await write(name, 4)
      await until(() => outage.refused > 0)
      // Several times as long as any of them is tried.
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      outage.stop()
      // A count that was stored and not committed is continued at least once.
      if (processingGuarantee === 'exactly_once') expect(await countsTold(name, 7)).toEqual(upTo(7))
      else
        await local.client.readUntil(
          counts(name),
          (records) => Number(latestByKey(records).get('k')) >= 7,
          20_000,
        )
      expect(application.failure).toBeUndefined()
      await application.close()
    },
  )

  it.each([
    ['exactly_once', 'TxnOffsetCommit', 'TRANSACTION_ABORTABLE'],
    ['exactly_once', 'TxnOffsetCommit', 'INVALID_TXN_STATE'],
    ['exactly_once', 'TxnOffsetCommit', 'PRODUCER_FENCED'],
  ] as const)(
    'a commit (%s) that the broker keeps refusing (%s: %s) does not repeat its records in a loop',
    async (processingGuarantee, api, error) => {
      const name = `refusing-${api.toLowerCase()}-${error.toLowerCase().replaceAll('_', '-')}`
      const words = input(name)
      await local.client.create(words)
      let calls = 0
      const warnings: string[] = []
      const application = await start(
        topology(name, (builder) => builder.stream(words).forEach(() => void calls++)),
        {
          bootstrapServers: local.broker.bootstrapServers,
          stateDirectory: join(local.folder, name),
          processingGuarantee,
        },
        { onWarning: (message) => void warnings.push(message), logger: false },
      )
      application.done.catch(() => undefined)
      await application.waitFor('running')
      const refusing = failing(error, api)
      await write(name, 1)
      await until(() => refusing.refused > 2 || application.state === 'failed')
      await new Promise((resolve) => setTimeout(resolve, 700))
      expect(calls).toBeLessThanOrEqual(5)
      if (application.state === 'failed') expect(String(application.failure)).toContain(error)
      else
        expect(warnings.join()).toMatch(
          /nothing was committed 2 times in a row.* processed again after 100 ms/,
        )
      refusing.stop()
      await application.close()
    },
  )

  it('takes nothing along of a transaction that could not be aborted', async () => {
    const name = 'not-aborted'
    // The member that it was is soon forgotten.
    const application = await counting(name, {
      processingGuarantee: 'exactly_once',
      sessionTimeoutMs: 1_000,
      heartbeatIntervalMs: 100,
    })
    await write(name, 3)
    expect(await countsTold(name, 3)).toEqual(upTo(3))
    const ends = failing('COORDINATOR_NOT_AVAILABLE', 'EndTxn')
    const offsets = failing('UNKNOWN_MEMBER_ID', 'TxnOffsetCommit')
    await write(name, 4)
    await until(() => offsets.refused > 0)
    offsets.stop()
    await until(() => ends.refused > 0)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    ends.stop()
    expect(await countsTold(name, 7)).toEqual(upTo(7))
    expect(application.failure).toBeUndefined()
    await application.close()
  })

  it('opens each task once, and none of another, when a member joins while it starts again', async () => {
    const name = 'joined-meanwhile'
    const partitions = 4
    const events = topic(`${name}-input`, { value: string, partitions })
    const copies = topic(`${name}-copies`, { value: string, partitions })
    await local.client.create(events, copies)
    const program = topology(name, (builder) => {
      builder.stream(events).to(copies)
    })
    const joining = (place: string): Promise<Application> =>
      start(program, {
        bootstrapServers: local.broker.bootstrapServers,
        stateDirectory: join(local.folder, name, place),
        processingGuarantee: 'exactly_once',
        commitIntervalMs: 20,
        heartbeatIntervalMs: 50,
      })
    const keys = Array.from({ length: 40 }, (_, index) => `k${index}`)
    const writeEach = (value: string): Promise<void> =>
      local.client.write(
        events,
        keys.map((key) => ({ key, value })),
      )

    const first = await joining('first')
    await first.waitFor('running')
    let aborts = 1
    const stopAborts = local.broker.core.onRequest('Produce', ({ request }) =>
      request['transactionalId'] !== null && aborts-- > 0
        ? { kind: 'error', error: 'TRANSACTION_ABORTABLE' }
        : undefined,
    )
    // The first one waits for long until it may write again; the second one begins at once.
    let delays = 1
    const stopDelays = local.broker.core.onRequest('InitProducerId', ({ request }) =>
      request['transactionalId'] !== null && delays-- > 0 ? { kind: 'delay', delayMs: 2_000 } : undefined,
    )
    await writeEach('1')
    await until(() => delays <= 0)
    const second = await joining('second')
    await writeEach('2')
    await second.waitFor('running')
    await first.waitFor('running')
    await writeEach('3')
    const isComplete = (records: readonly { readonly value: string | null }[]): boolean =>
      records.length >= 3 * keys.length
    await local.client.readUntil(copies, isComplete, 20_000)
    // One that comes twice would come now.
    await writeEach('4')
    const copied = await local.client.readUntil(
      copies,
      (records) => records.filter(({ value }) => value === '4').length >= keys.length,
      20_000,
    )
    const valuesOf = (key: string): readonly (string | null)[] =>
      copied.filter((each) => each.key === key).map(({ value }) => value)
    for (const key of keys) expect(valuesOf(key), key).toEqual(['1', '2', '3', '4'])
    expect(first.tasks.length + second.tasks.length).toBe(partitions)
    stopAborts()
    stopDelays()
    await Promise.all([first.close(), second.close()])
  })
})
