import { expect, test } from 'vitest'
import { string, topic, topology, within } from '../../src/index.ts'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { openMemoryStore } from '../../src/state/open-memory-store.ts'
import { Task } from '../../src/task/task.ts'
import { columnsOf } from '../../src/topic/record-columns.ts'
import type { AnyRecord } from '../../src/topology/node.ts'
import type { SubTopology } from '../../src/topology/sub-topologies.ts'
import { subTopologiesOf } from '../../src/topology/sub-topologies.ts'

const orders = topic('orders', { value: string })
const payments = topic('payments', { value: string })
const paid = topic('paid', { value: string })

const joined = topology('shop', (builder) => {
  builder
    .stream(orders)
    .join(builder.stream(payments), (order, payment) => `${order} ${payment}`, {
      name: 'paid',
      windows: within(10),
    })
    .to(paid)
})

/** A task of the join; `onTheWay` names the topics whose records have not arrived yet. */
const taskOf = (onTheWay: Set<string>): { readonly task: Task; readonly sent: AnyRecord[] } => {
  const sent: AnyRecord[] = []
  const task = new Task({
    topology: joined,
    subTopology: subTopologiesOf(joined)[0] as SubTopology,
    partition: 0,
    host: {
      applicationId: 'shop',
      clock: new ManualClock(),
      output: { send: (_topic, _target, record) => void sent.push(record) },
      openStore: openMemoryStore,
      globalStore: (name) => {
        throw new Error(`no global store '${name}'`)
      },
      changelog: { append: () => {} },
      dropped: () => {},
      requestCommit: () => {},
      hasMore: (name) => onTheWay.has(name),
    },
  })
  return { task, sent }
}

const rowsAt = (...timestamps: readonly number[]): ReturnType<typeof columnsOf> =>
  columnsOf(
    timestamps.map((timestamp) => ({
      key: string.serialize('k'),
      value: string.serialize(String(timestamp)),
      timestamp,
    })),
  )

test('a task waits for an input whose records are on their way, so that none is late because its response was', () => {
  const onTheWay = new Set(['payments'])
  const { task, sent } = taskOf(onTheWay)
  task.push('orders', rowsAt(5, 100, 200))
  expect(task.isReady).toBe(false)
  expect(task.process(Infinity)).toBe(0)
  task.push('payments', rowsAt(6, 101))
  expect(task.isReady).toBe(true)
  // The payments are all taken, and more are on their way: the order of 200 waits again.
  expect(task.process(Infinity)).toBe(4)
  expect(sent.map(({ value }) => value)).toEqual(['5 6', '100 101'])
  expect(task.isReady).toBe(false)
})

test('a task does not wait for an input that has nothing more', () => {
  const onTheWay = new Set(['payments'])
  const { task } = taskOf(onTheWay)
  task.push('orders', rowsAt(5, 100))
  onTheWay.clear()
  expect(task.isReady).toBe(true)
  expect(task.process(Infinity)).toBe(2)
})
