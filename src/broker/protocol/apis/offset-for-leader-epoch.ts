/** The bytes of OffsetForLeaderEpoch, API key 23. */
export const offsetForLeaderEpochSchema = {
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexibleFrom: 4,
  request: {
    replicaId: 'int32 3+ =-2',
    topics: [
      'array',
      {
        topic: 'string',
        partitions: ['array', { partition: 'int32', currentLeaderEpoch: 'int32 =-1', leaderEpoch: 'int32' }],
      },
    ],
  },
  response: {
    throttleTimeMs: 'int32',
    topics: [
      'array',
      {
        topic: 'string',
        partitions: [
          'array',
          { errorCode: 'int16', partition: 'int32', leaderEpoch: 'int32 =-1', endOffset: 'int64 =-1' },
        ],
      },
    ],
  },
} as const
