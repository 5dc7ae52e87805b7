/** The bytes of OffsetFetch, API key 9. */
export const offsetFetchSchema = {
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 9],
  flexibleFrom: 6,
  request: {
    groupId: 'string 1-7',
    topics: ['array? 1-7', { name: 'string', partitionIndexes: 'int32[]' }],
    groups: [
      'array 8+',
      {
        groupId: 'string',
        memberId: 'string? 9+',
        memberEpoch: 'int32 9+ =-1',
        topics: ['array?', { name: 'string', partitionIndexes: 'int32[]' }],
      },
    ],
    requireStable: 'boolean 7+',
  },
  response: {
    throttleTimeMs: 'int32 3+',
    topics: [
      'array 1-7',
      {
        name: 'string',
        partitions: [
          'array',
          {
            partitionIndex: 'int32',
            committedOffset: 'int64',
            committedLeaderEpoch: 'int32 5+ =-1',
            metadata: 'string?',
            errorCode: 'int16',
          },
        ],
      },
    ],
    errorCode: 'int16 2-7',
    groups: [
      'array 8+',
      {
        groupId: 'string',
        topics: [
          'array',
          {
            name: 'string',
            partitions: [
              'array',
              {
                partitionIndex: 'int32',
                committedOffset: 'int64',
                committedLeaderEpoch: 'int32 =-1',
                metadata: 'string?',
                errorCode: 'int16',
              },
            ],
          },
        ],
        errorCode: 'int16',
      },
    ],
  },
} as const
