/** The bytes of TxnOffsetCommit, API key 28. */
export const txnOffsetCommitSchema = {
  key: 28,
  name: 'TxnOffsetCommit',
  versions: [0, 5],
  flexibleFrom: 3,
  request: {
    transactionalId: 'string',
    groupId: 'string',
    producerId: 'int64',
    producerEpoch: 'int16',
    generationId: 'int32 3+ =-1',
    memberId: 'string 3+',
    groupInstanceId: 'string? 3+',
    topics: [
      'array',
      {
        name: 'string',
        partitions: [
          'array',
          {
            partitionIndex: 'int32',
            committedOffset: 'int64',
            committedLeaderEpoch: 'int32 2+ =-1',
            committedMetadata: 'string?',
          },
        ],
      },
    ],
  },
  response: {
    throttleTimeMs: 'int32',
    topics: [
      'array',
      {
        name: 'string',
        partitions: ['array', { partitionIndex: 'int32', errorCode: 'int16' }],
      },
    ],
  },
} as const
