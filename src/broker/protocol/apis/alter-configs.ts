/** The bytes of AlterConfigs, API key 33. */
export const alterConfigsSchema = {
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    resources: [
      'array',
      {
        resourceType: 'int8',
        resourceName: 'string',
        configs: ['array', { name: 'string', value: 'string?' }],
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
