/** The bytes of AddPartitionsToTxn, API key 24. */
export const addPartitionsToTxnSchema = {
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: [0, 5],
  flexibleFrom: 3,
  request: {
    transactions: [
      'array 4+',
      {
        transactionalId: 'string',
        producerId: 'int64',
        producerEpoch: 'int16',
        verifyOnly: 'boolean',
        topics: ['array', { name: 'string', partitions: 'int32[]' }],
      },
    ],
    v3AndBelowTransactionalId: 'string 0-3',
    v3AndBelowProducerId: 'int64 0-3',
    v3AndBelowProducerEpoch: 'int16 0-3',
    v3AndBelowTopics: ['array 0-3', { name: 'string', partitions: 'int32[]' }],
  },
  response: {
    throttleTimeMs: 'int32',
    errorCode: 'int16 4+',
    resultsByTransaction: [
      'array 4+',
      {
        transactionalId: 'string',
        topicResults: [
          'array',
          {
            name: 'string',
            resultsByPartition: ['array', { partitionIndex: 'int32', partitionErrorCode: 'int16' }],
          },
        ],
      },
    ],
    resultsByTopicV3AndBelow: [
      'array 0-3',
      {
        name: 'string',
        resultsByPartition: ['array', { partitionIndex: 'int32', partitionErrorCode: 'int16' }],
      },
    ],
  },
} as const
