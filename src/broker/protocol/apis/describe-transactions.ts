/** The bytes of DescribeTransactions, API key 65. */
export const describeTransactionsSchema = {
  key: 65,
  name: 'DescribeTransactions',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    transactionalIds: 'string[]',
  },
  response: {
    throttleTimeMs: 'int32',
    transactionStates: [
      'array',
      {
        errorCode: 'int16',
        transactionalId: 'string',
        transactionState: 'string',
        transactionTimeoutMs: 'int32',
        transactionStartTimeMs: 'int64',
        producerId: 'int64',
        producerEpoch: 'int16',
        topics: ['array', { topic: 'string', partitions: 'int32[]' }],
      },
    ],
  },
} as const
