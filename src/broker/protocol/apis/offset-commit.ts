/** The bytes of OffsetCommit, API key 8. */
export const offsetCommitSchema = {
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 9],
  flexibleFrom: 8,
  request: {
    groupId: 'string',
    generationIdOrMemberEpoch: 'int32 =-1',
    memberId: 'string',
    groupInstanceId: 'string? 7+',
    retentionTimeMs: 'int64 2-4 =-1',
    topics: [
      'array',
      {
        name: 'string',
        partitions: [
          'array',
          {
            partitionIndex: 'int32',
            committedOffset: 'int64',
            committedLeaderEpoch: 'int32 6+ =-1',
            committedMetadata: 'string?',
          },
        ],
      },
    ],
  },
  response: {
    throttleTimeMs: 'int32 3+',
    topics: [
      'array',
      {
        name: 'string',
        partitions: ['array', { partitionIndex: 'int32', errorCode: 'int16' }],
      },
    ],
  },
} as const
