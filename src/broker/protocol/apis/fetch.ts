/** The bytes of Fetch, API key 1. */
export const fetchSchema = {
  key: 1,
  name: 'Fetch',
  versions: [4, 17],
  flexibleFrom: 12,
  request: {
    replicaId: 'int32 4-14 =-1',
    maxWaitMs: 'int32',
    minBytes: 'int32',
    maxBytes: 'int32 =2147483647',
    isolationLevel: 'int8',
    sessionId: 'int32 7+',
    sessionEpoch: 'int32 7+ =-1',
    topics: [
      'array',
      {
        topic: 'string 4-12',
        topicId: 'uuid 13+',
        partitions: [
          'array',
          {
            partition: 'int32',
            currentLeaderEpoch: 'int32 9+ =-1',
            fetchOffset: 'int64',
            lastFetchedEpoch: 'int32 12+ =-1',
            logStartOffset: 'int64 5+ =-1',
            partitionMaxBytes: 'int32',
          },
        ],
      },
    ],
    forgottenTopicsData: ['array 7+', { topic: 'string 7-12', topicId: 'uuid 13+', partitions: 'int32[]' }],
    rackId: 'string 11+',
  },
  response: {
    throttleTimeMs: 'int32',
    errorCode: 'int16 7+',
    sessionId: 'int32 7+',
    responses: [
      'array',
      {
        topic: 'string 4-12',
        topicId: 'uuid 13+',
        partitions: [
          'array',
          {
            partitionIndex: 'int32',
            errorCode: 'int16',
            highWatermark: 'int64',
            lastStableOffset: 'int64 =-1',
            logStartOffset: 'int64 5+ =-1',
            abortedTransactions: ['array?', { producerId: 'int64', firstOffset: 'int64' }],
            preferredReadReplica: 'int32 11+ =-1',
            records: 'records?',
          },
        ],
      },
    ],
  },
} as const
