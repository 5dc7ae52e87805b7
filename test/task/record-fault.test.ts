import { expect, it } from 'vitest'
import { unreadableRow } from '../../src/state/unreadable-row.ts'
import { faultOf } from '../../src/task/record-fault.ts'

it('a row that a store cannot read is named by its own key, beside the place of the record at hand', () => {
  const error = unreadableRow('totals', Buffer.from('eur'), new Error('no JSON'))
  const origin = { topic: 'payments', partition: 2, offset: 7 }
  expect(faultOf({ node: 'sum', stage: 'processing', origin, key: 'payment-1', error }).place).toEqual({
    ...origin,
    node: 'sum',
    store: 'totals',
    key: 'eur',
  })
  const failed = faultOf({
    node: 'sum',
    stage: 'processing',
    origin,
    key: 'payment-1',
    error: new Error('no'),
  })
  expect(failed.place).toEqual({ ...origin, node: 'sum', key: 'payment-1' })
})
