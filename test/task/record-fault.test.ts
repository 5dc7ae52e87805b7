import { expect, it } from 'vitest'
import { unreadableRow } from '../../src/state/unreadable-row.ts'
import { faultOf } from '../../src/task/record-fault.ts'

it('a row that a store cannot read is named by its own key, beside the place of the record at hand', () => {
  const error = unreadableRow('totals', Buffer.from('eur'), new Error('no JSON'))
  const origin = { topic: 'payments', partition: 2, offset: 7 }
  const fault = faultOf({ node: 'sum', stage: 'processing', origin, key: '"payment-1"', error })
  expect(fault.place).toEqual({ ...origin, node: 'sum', store: 'totals' })
  expect(fault.contents).toEqual({ key: '"eur"' })
  const failed = faultOf({
    node: 'sum',
    stage: 'processing',
    origin,
    key: '"payment-1"',
    error: new Error('no'),
  })
  expect(failed.place).toEqual({ ...origin, node: 'sum' })
  expect(failed.contents).toEqual({ key: '"payment-1"' })
})
