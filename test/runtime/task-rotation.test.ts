import { expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { TimeSlice } from '../../src/base/time-slice.ts'
import { string, topic, topology } from '../../src/index.ts'
import { RunningTask } from '../../src/runtime/running-task.ts'
import { TaskRotation } from '../../src/runtime/task-rotation.ts'
import { LoneTask } from '../support/lone-task.ts'

it('tasks have their turns in a circle, over as many slices as they take', () => {
  const program = topology('shop', (builder) =>
    builder.stream(topic('orders', { value: string })).forEach(() => undefined),
  )
  const running = new RunningTask(new LoneTask(program).task, [], [], 'shop')
  const tasks = new Map(['0_0', '0_1', '0_2', '0_3'].map((id) => [id, running]))
  const clock = new ManualClock()
  const slice = new TimeSlice(clock, 50)
  const rotation = new TaskRotation()
  const visits = [1, 2, 3, 4].map(() => {
    let visited = 0
    slice.begin()
    const isDone = rotation.visit(tasks, slice, () => {
      visited++
      clock.advance(20)
      slice.check()
    })
    return { visited, isDone }
  })
  expect(visits.map(({ visited }) => visited)).toEqual([3, 3, 3, 3])
  expect(visits.every(({ isDone }) => !isDone)).toBe(true)
  slice.begin()
  const order: boolean[] = []
  expect(rotation.visit(tasks, slice, () => void order.push(true))).toBe(true)
  expect(order).toHaveLength(4)
})
