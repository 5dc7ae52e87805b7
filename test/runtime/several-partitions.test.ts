import { describe, expect, it } from 'vitest'
import { string } from '../../src/index.ts'
import type { Producer } from '../../src/kafka/producer.ts'
import { Metrics } from '../../src/runtime/metrics.ts'
import { RecordFailureHandler } from '../../src/runtime/record-failure-handler.ts'
import { RecordOutput } from '../../src/runtime/record-output.ts'
import type { AnyRecord } from '../../src/topology/node.ts'

const record = {} as AnyRecord

const sendWith = async (answer: number | readonly number[] | undefined) => {
  const sent: unknown[] = []
  const dropped: AnyRecord[] = []
  const producer = {
    prepare: () => Promise.resolve(),
    partitionCountOf: () => 3,
    sendRecord: (_topic: unknown, _serdes: unknown, _record: unknown, partition: unknown) =>
      sent.push(partition),
  } as unknown as Producer
  const metrics = new Metrics()
  const policies = {
    deserializationFailure: 'fail',
    processingFailure: 'fail',
    productionFailure: 'fail',
  } as const
  const output = new RecordOutput(
    producer,
    metrics,
    new RecordFailureHandler({ policies, metrics, onWarning: () => {} }),
  )
  await output.prepare(['output'])
  const target = {
    node: 'out',
    key: string,
    value: string,
    partitioner: () => answer,
    dropped: (each: AnyRecord) => dropped.push(each),
  }
  output.send('output', target, record, undefined)
  return { sent, dropped, producedRecords: metrics.producedRecords }
}

describe('the output of a member', () => {
  it.each([
    [undefined, [undefined]],
    [1, [1]],
    [
      [2, 0, 2],
      [2, 0],
    ],
  ])('writes a record to %j', async (answer, sent) => {
    expect(await sendWith(answer)).toEqual({ sent, dropped: [], producedRecords: sent.length })
  })

  it('drops a record that no partition was chosen for', async () => {
    expect(await sendWith([])).toEqual({ sent: [], dropped: [record], producedRecords: 0 })
  })
})
