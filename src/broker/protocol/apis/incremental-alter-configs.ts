/** The bytes of IncrementalAlterConfigs, API key 44. */
export const incrementalAlterConfigsSchema = {
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexibleFrom: 1,
  request: {
    resources: [
      'array',
      {
        resourceType: 'int8',
        resourceName: 'string',
        configs: ['array', { name: 'string', configOperation: 'int8', value: 'string?' }],
      },
    ],
    validateOnly: 'boolean',
  },
  response: {
    throttleTimeMs: 'int32',
    responses: [
      'array',
      { errorCode: 'int16', errorMessage: 'string?', resourceType: 'int8', resourceName: 'string' },
    ],
  },
} as const
