import { describeTransactionsSchema } from '../protocol/apis/describe-transactions.ts'
import { listTransactionsSchema } from '../protocol/apis/list-transactions.ts'
import { Errors } from '../protocol/errors.ts'
import type { Item, Response } from '../protocol/schema.ts'
import type { Transaction } from '../transaction/transaction.ts'
import { api, type Api } from './api.ts'

/** DescribeTransactions: state, owner and partitions of transactional ids. */
export const describeTransactionsApi: Api = api(describeTransactionsSchema, (broker, request) => ({
  transactionStates: request.transactionalIds.map((transactionalId) => {
    const transaction = broker.transactions.transactions.get(transactionalId)
    return transaction === undefined ? unknown(transactionalId) : describe(transaction)
  }),
}))

type Description = Item<Response<typeof describeTransactionsSchema>, 'transactionStates'>

const describe = (transaction: Transaction): Description => ({
  errorCode: Errors.NONE,
  transactionalId: transaction.transactionalId,
  transactionState: transaction.state,
  transactionTimeoutMs: transaction.timeoutMs,
  transactionStartTimeMs: transaction.startMs,
  producerId: transaction.producerId,
  producerEpoch: transaction.producerEpoch,
  topics: Array.from(transaction.partitions, ([topic, partitions]) => ({
    topic,
    partitions: [...partitions],
  })),
})

const unknown = (transactionalId: string): Description => ({
  errorCode: Errors.TRANSACTIONAL_ID_NOT_FOUND,
  transactionalId,
  transactionState: '',
  transactionTimeoutMs: 0,
  transactionStartTimeMs: 0,
  producerId: 0,
  producerEpoch: 0,
  topics: [],
})

const STATES: ReadonlySet<string> = new Set([
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
])

/** ListTransactions: by state, producer and (v1+) how long they have been open. */
export const listTransactionsApi: Api = api(listTransactionsSchema, (broker, request) => {
  const { stateFilters, producerIdFilters, durationFilter } = request
  const matches = (transaction: Transaction): boolean =>
    (stateFilters.length === 0 || stateFilters.includes(transaction.state)) &&
    (producerIdFilters.length === 0 || producerIdFilters.includes(transaction.producerId)) &&
    (durationFilter < 0 || broker.transactions.ageMs(transaction) > durationFilter)
  return {
    errorCode: Errors.NONE,
    unknownStateFilters: stateFilters.filter((state) => !STATES.has(state)),
    transactionStates: [...broker.transactions.transactions.values()]
      .filter(matches)
      .map(({ transactionalId, producerId, state }) => ({
        transactionalId,
        producerId,
        transactionState: state,
      })),
  }
})
