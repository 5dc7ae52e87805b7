/** The bytes of ApiVersions, API key 18. */
export const apiVersionsSchema = {
  key: 18,
  name: 'ApiVersions',
  versions: [0, 4],
  flexibleFrom: 3,
  request: {
    clientSoftwareName: 'string 3+',
    clientSoftwareVersion: 'string 3+',
  },
  response: {
    errorCode: 'int16',
    apiKeys: ['array', { apiKey: 'int16', minVersion: 'int16', maxVersion: 'int16' }],
    throttleTimeMs: 'int32 1+',
    supportedFeatures: ['array @0 3+', { name: 'string', minVersion: 'int16', maxVersion: 'int16' }],
    finalizedFeaturesEpoch: 'int64 @1 3+ =-1',
    finalizedFeatures: [
      'array @2 3+',
      { name: 'string', maxVersionLevel: 'int16', minVersionLevel: 'int16' },
    ],
    zkMigrationReady: 'boolean @3 3+',
  },
} as const
