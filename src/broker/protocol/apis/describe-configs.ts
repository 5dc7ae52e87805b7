/** The bytes of DescribeConfigs, API key 32. */
export const describeConfigsSchema = {
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 4],
  flexibleFrom: 4,
  request: {
    resources: ['array', { resourceType: 'int8', resourceName: 'string', configurationKeys: 'string[]?' }],
    includeSynonyms: 'boolean',
    includeDocumentation: 'boolean 3+',
  },
  response: {
    throttleTimeMs: 'int32',
    results: [
      'array',
      {
        errorCode: 'int16',
        errorMessage: 'string?',
        resourceType: 'int8',
        resourceName: 'string',
        configs: [
          'array',
          {
            name: 'string',
            value: 'string?',
            readOnly: 'boolean',
            configSource: 'int8 =-1',
            isSensitive: 'boolean',
            synonyms: ['array', { name: 'string', value: 'string?', source: 'int8' }],
            configType: 'int8 3+',
            documentation: 'string? 3+',
          },
        ],
      },
    ],
  },
} as const
