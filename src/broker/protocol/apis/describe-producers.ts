/** The bytes of DescribeProducers, API key 61. */
export const describeProducersSchema = {
  key: 61,
  name: 'DescribeProducers',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    topics: ['array', { name: 'string', partitionIndexes: 'int32[]' }],
  },
  response: {
    throttleTimeMs: 'int32',
    topics: [
      'array',
      {
        name: 'string',
        partitions: [
          'array',
          {
            partitionIndex: 'int32',
            errorCode: 'int16',
            errorMessage: 'string?',
            activeProducers: [
              'array',
              {
                producerId: 'int64',
                producerEpoch: 'int32',
                lastSequence: 'int32 =-1',
                lastTimestamp: 'int64 =-1',
                coordinatorEpoch: 'int32',
                currentTxnStartOffset: 'int64 =-1',
              },
            ],
          },
        ],
      },
    ],
  },
} as const
