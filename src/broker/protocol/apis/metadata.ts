/** The bytes of Metadata, API key 3. */
export const metadataSchema = {
  key: 3,
  name: 'Metadata',
  versions: [0, 12],
  flexibleFrom: 9,
  request: {
    topics: ['array?', { topicId: 'uuid 10+', name: 'string?' }],
    allowAutoTopicCreation: 'boolean 4+ =true',
    includeClusterAuthorizedOperations: 'boolean 8-10',
    includeTopicAuthorizedOperations: 'boolean 8+',
  },
  response: {
    throttleTimeMs: 'int32 3+',
    brokers: ['array', { nodeId: 'int32', host: 'string', port: 'int32', rack: 'string? 1+' }],
    clusterId: 'string? 2+',
    controllerId: 'int32 1+ =-1',
    topics: [
      'array',
      {
        errorCode: 'int16',
        name: 'string?',
        topicId: 'uuid 10+',
        isInternal: 'boolean 1+',
        partitions: [
          'array',
          {
            errorCode: 'int16',
            partitionIndex: 'int32',
            leaderId: 'int32',
            leaderEpoch: 'int32 7+ =-1',
            replicaNodes: 'int32[]',
            isrNodes: 'int32[]',
            offlineReplicas: 'int32[] 5+',
          },
        ],
        topicAuthorizedOperations: 'int32 8+ =-2147483648',
      },
    ],
    clusterAuthorizedOperations: 'int32 8-10 =-2147483648',
  },
} as const
