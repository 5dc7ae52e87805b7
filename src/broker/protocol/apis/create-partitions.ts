/** The bytes of CreatePartitions, API key 37. */
export const createPartitionsSchema = {
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexibleFrom: 2,
  request: {
    topics: [
      'array',
      {
        name: 'string',
        count: 'int32',
        assignments: ['array?', { brokerIds: 'int32[]' }],
      },
    ],
    timeoutMs: 'int32',
    validateOnly: 'boolean',
  },
  response: {
    throttleTimeMs: 'int32',
    results: ['array', { name: 'string', errorCode: 'int16', errorMessage: 'string?' }],
  },
} as const
