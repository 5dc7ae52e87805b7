/** The bytes of ListOffsets, API key 2. */
export const listOffsetsSchema = {
  key: 2,
  name: 'ListOffsets',
  versions: [1, 10],
  flexibleFrom: 6,
  request: {
    replicaId: 'int32',
    isolationLevel: 'int8 2+',
    topics: [
      'array',
      {
        name: 'string',
        partitions: [
          'array',
          { partitionIndex: 'int32', currentLeaderEpoch: 'int32 4+ =-1', timestamp: 'int64' },
        ],
      },
    ],
    timeoutMs: 'int32 10+',
  },
  response: {
    throttleTimeMs: 'int32 2+',
    topics: [
      'array',
      {
        name: 'string',
        partitions: [
          'array',
          {
            partitionIndex: 'int32',
            errorCode: 'int16',
            timestamp: 'int64 =-1',
            offset: 'int64 =-1',
            leaderEpoch: 'int32 4+ =-1',
          },
        ],
      },
    ],
  },
} as const
