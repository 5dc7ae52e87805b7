import { setImmediate } from 'node:timers/promises'
import { expect } from 'vitest'
import { ManualClock } from '../../../src/base/manual-clock.ts'
import type { BrokerCore, BrokerSettings, InitialTopic } from '../../../src/broker/index.ts'
import { createBrokerCore } from '../../../src/broker/index.ts'
import { Cluster } from '../../../src/kafka/cluster.ts'
import type { FetchedBatch } from '../../../src/kafka/fetch/fetched-batch.ts'
import { CoreTransport } from './core-transport.ts'
import { rowsOf } from './rows.ts'
import type { TextRow } from './rows.ts'
import { Fetcher } from '../../../src/kafka/fetcher.ts'

/** A broker's core and a client of it on one manual clock: hours pass in milliseconds, and the same way each time. */
export interface CoreWorld {
  readonly clock: ManualClock
  readonly core: BrokerCore
  readonly transport: CoreTransport
  readonly cluster: Cluster
  /** Awaits, letting the clock run meanwhile. */
  readonly run: <T>(promise: Promise<T>) => Promise<T>
  /** Lets that much time pass. */
  readonly pass: (durationMs: number) => Promise<void>
  /** All records of a partition as text. */
  readonly readAll: (topic: string, partition?: number) => Promise<readonly TextRow[]>
}

export const coreWorld = (
  options: { readonly topics?: readonly InitialTopic[]; readonly settings?: Partial<BrokerSettings> } = {},
): CoreWorld => {
  const clock = new ManualClock(1_700_000_000_000)
  const core = createBrokerCore({
    ...options,
    clock,
    onInternalError: (error) => expect.unreachable(String(error)),
  })
  const transport = new CoreTransport(core)
  const cluster = new Cluster({ transport, clock })

  const run = async <T>(promise: Promise<T>): Promise<T> => {
    const pending = Symbol('pending')
    const settled = promise.then(
      () => undefined,
      () => undefined,
    )
    for (let steps = 0; steps < 100_000; steps++) {
      if ((await Promise.race([settled, setImmediate(pending)])) !== pending) return promise
      clock.advance(5)
    }
    throw new Error('nothing happens any more')
  }
  const pass = async (durationMs: number): Promise<void> => {
    for (let passed = 0; passed < durationMs; passed += 5) {
      clock.advance(5)
      await setImmediate()
    }
  }
  const readAll = async (topic: string, partition = 0): Promise<readonly TextRow[]> => {
    await pass(50) // the markers of transactions are written a moment after their end
    const fetcher = new Fetcher({ cluster, isolation: 'read_committed', name: 'read-all', maxWaitMs: 10 })
    fetcher.assign([{ topic, partition, offset: 'earliest' }])
    const batches: FetchedBatch[] = []
    do batches.push(...(await run(fetcher.poll(50))))
    while (fetcher.lag(topic, partition) !== 0)
    fetcher.close()
    return batches.flatMap(rowsOf)
  }
  return { clock, core, transport, cluster, run, pass, readAll }
}
