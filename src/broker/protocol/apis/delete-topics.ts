/** The bytes of DeleteTopics, API key 20. */
export const deleteTopicsSchema = {
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexibleFrom: 4,
  request: {
    topics: ['array 6+', { name: 'string?', topicId: 'uuid' }],
    topicNames: 'string[] 1-5',
    timeoutMs: 'int32',
  },
  response: {
    throttleTimeMs: 'int32',
    responses: [
      'array',
      { name: 'string?', topicId: 'uuid 6+', errorCode: 'int16', errorMessage: 'string? 5+' },
    ],
  },
} as const
