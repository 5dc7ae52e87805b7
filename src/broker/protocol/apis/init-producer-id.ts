/** The bytes of InitProducerId, API key 22. */
export const initProducerIdSchema = {
  key: 22,
  name: 'InitProducerId',
  versions: [0, 5],
  flexibleFrom: 2,
  request: {
    transactionalId: 'string?',
    transactionTimeoutMs: 'int32',
    producerId: 'int64 3+ =-1',
    producerEpoch: 'int16 3+ =-1',
  },
  response: {
    throttleTimeMs: 'int32',
    errorCode: 'int16',
    producerId: 'int64 =-1',
    producerEpoch: 'int16',
  },
} as const
