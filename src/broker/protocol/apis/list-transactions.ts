/** The bytes of ListTransactions, API key 66. */
export const listTransactionsSchema = {
  key: 66,
  name: 'ListTransactions',
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    stateFilters: 'string[]',
    producerIdFilters: 'int64[]',
    durationFilter: 'int64 1+ =-1',
  },
  response: {
    throttleTimeMs: 'int32',
    errorCode: 'int16',
    unknownStateFilters: 'string[]',
    transactionStates: [
      'array',
      { transactionalId: 'string', producerId: 'int64', transactionState: 'string' },
    ],
  },
} as const
