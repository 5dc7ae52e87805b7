/** The bytes of CreateTopics, API key 19. */
export const createTopicsSchema = {
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexibleFrom: 5,
  request: {
    topics: [
      'array',
      {
        name: 'string',
        numPartitions: 'int32',
        replicationFactor: 'int16',
        assignments: ['array', { partitionIndex: 'int32', brokerIds: 'int32[]' }],
        configs: ['array', { name: 'string', value: 'string?' }],
      },
    ],
    timeoutMs: 'int32 =60000',
    validateOnly: 'boolean',
  },
  response: {
    throttleTimeMs: 'int32',
    topics: [
      'array',
      {
        name: 'string',
        topicId: 'uuid 7+',
        errorCode: 'int16',
        errorMessage: 'string?',
        topicConfigErrorCode: 'int16 @0 5+',
        numPartitions: 'int32 5+ =-1',
        replicationFactor: 'int16 5+ =-1',
        configs: [
          'array? 5+',
          {
            name: 'string',
            value: 'string?',
            readOnly: 'boolean',
            configSource: 'int8 =-1',
            isSensitive: 'boolean',
          },
        ],
      },
    ],
  },
} as const
