/** The bytes of Produce, API key 0. */
export const produceSchema = {
  key: 0,
  name: 'Produce',
  versions: [3, 12],
  flexibleFrom: 9,
  request: {
    transactionalId: 'string?',
    acks: 'int16',
    timeoutMs: 'int32',
    topicData: [
      'array',
      {
        name: 'string',
        partitionData: ['array', { index: 'int32', records: 'records?' }],
      },
    ],
  },
  response: {
    responses: [
      'array',
      {
        name: 'string',
        partitionResponses: [
          'array',
          {
            index: 'int32',
            errorCode: 'int16',
            baseOffset: 'int64',
            logAppendTimeMs: 'int64 =-1',
            logStartOffset: 'int64 5+ =-1',
            recordErrors: ['array 8+', { batchIndex: 'int32', batchIndexErrorMessage: 'string?' }],
            errorMessage: 'string? 8+',
          },
        ],
      },
    ],
    throttleTimeMs: 'int32',
  },
} as const
