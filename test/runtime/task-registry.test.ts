import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { string, topic, topology } from '../../src/index.ts'
import type { FetchedBatch } from '../../src/kafka/fetch/fetched-batch.ts'
import type { FetchPosition } from '../../src/kafka/fetch/fetch-position.ts'
import { planApplication } from '../../src/runtime/application-plan.ts'
import type { TaskId } from '../../src/runtime/assign-tasks.ts'
import { RunningTask } from '../../src/runtime/running-task.ts'
import { TaskRegistry } from '../../src/runtime/task-registry.ts'
import { openMemoryStore } from '../../src/state/open-memory-store.ts'
import { Task } from '../../src/task/task.ts'
import { columnsOf } from '../../src/topic/record-columns.ts'

const input = topic('input', { value: string })
const seen: string[] = []
const program = topology('reading', (builder) =>
  builder.stream(input).forEach(({ value }) => seen.push(value)),
)
const plan = planApplication(program, 'reading', () => 3)
const clock = new ManualClock(0)

const taskOf = (id: TaskId): RunningTask => {
  const [subTopology] = plan.subTopologies
  if (subTopology === undefined) throw new Error('no sub-topology')
  const partition = Number(id.split('_')[1])
  const task = new Task({
    topology: program,
    subTopology,
    partition,
    host: {
      applicationId: 'reading',
      clock,
      output: { send: () => {} },
      openStore: openMemoryStore,
      globalStore: () => expect.unreachable(),
      changelog: { append: () => {} },
      dropped: () => {},
      requestCommit: () => {},
    },
  })
  return new RunningTask(task, plan.inputsOf(id), [], 'reading')
}

const registryOf = (open: (id: TaskId, signal: AbortSignal) => Promise<RunningTask | undefined>) => {
  const added: { readonly positions: readonly FetchPosition[]; readonly epoch: number | undefined }[] = []
  const failures: unknown[] = []
  const registry = new TaskRegistry({
    planOf: () => plan,
    clock,
    settings: { maxPollDurationMs: 50 },
    fetcher: {
      add: (positions, epoch) => void added.push({ positions, epoch }),
      remove: () => {},
    },
    tasks: { open: (id, _, signal) => open(id, signal), refuseTooMany: () => {} },
    startsOf: (inputs) =>
      Promise.resolve(
        new Map(
          inputs.map(({ topic: name, partition }) => [`${name}-${partition}`, { offset: 7, metadata: null }]),
        ),
      ),
    onChange: () => {},
    onTaskEnd: () => {},
    onWarning: () => {},
    onFailure: (error) => failures.push(error),
  })
  return { registry, added, failures }
}

const batch = (partition: number, generation: number, value: string): FetchedBatch => ({
  topic: 'input',
  topicId: '00000000-0000-0000-0000-000000000001',
  partition,
  generation,
  columns: columnsOf([
    {
      key: new TextEncoder().encode('"k"'),
      value: new TextEncoder().encode(value),
      timestamp: 1,
      offset: 7,
    },
  ]),
  nextOffset: 8,
  highWatermark: 8,
  lastStableOffset: 8,
  logStartOffset: 0,
})

const settled = (registry: TaskRegistry): Promise<void> => expect.poll(() => registry.isOpening).toBe(false)

describe('the tasks of a member', () => {
  it('take nothing that was fetched before they were given up, even where they have come back', async () => {
    const { registry, added } = registryOf((id) => Promise.resolve(taskOf(id)))
    registry.open(['0_0', '0_1'])
    await settled(registry)
    const epochOf = (partition: number): number =>
      added.findLast(({ positions }) => positions[0]?.partition === partition)?.epoch as number
    const stale = batch(0, epochOf(0), 'stale')
    const kept = batch(1, epochOf(1), 'kept')
    await registry.close(['0_0'])
    registry.deliver(stale)
    registry.open(['0_0'])
    await settled(registry)
    registry.deliver(stale)
    registry.deliver(kept)
    registry.deliver(batch(0, epochOf(0), 'fresh'))
    for (const { task } of registry.running.values()) task.process(10)
    expect(seen.toSorted()).toEqual(['fresh', 'kept'])
  })

  it('begin each by itself, so that none waits for another that restores for long', async () => {
    const gate = Promise.withResolvers<void>()
    const { registry, added } = registryOf(async (id) => {
      if (id === '0_1') await gate.promise
      return taskOf(id)
    })
    registry.open(['0_0', '0_1'])
    await expect.poll(() => [...registry.running.keys()]).toEqual(['0_0'])
    expect(registry.ids).toEqual(['0_0', '0_1'])
    expect(added.map(({ positions }) => positions)).toEqual([[{ topic: 'input', partition: 0, offset: 7 }]])
    gate.resolve()
    await settled(registry)
    expect(registry.ids).toEqual(['0_0', '0_1'])
  })

  it('stop being opened when they are given up meanwhile, and never begin', async () => {
    const { registry, added } = registryOf(async (id, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return taskOf(id)
    })
    registry.open(['0_0'])
    await expect.poll(() => registry.readersOf([{ topic: 'input', partition: 0 }], [])).toEqual(['0_0'])
    await Promise.resolve()
    await registry.closeAll()
    expect([registry.ids, added]).toEqual([[], []])
  })

  it('tell what cannot be opened', async () => {
    const { registry, failures } = registryOf(() => Promise.reject(new Error('no disk')))
    registry.open(['0_2'])
    await settled(registry)
    expect(failures.map(String)).toEqual(['Error: no disk'])
  })
})
