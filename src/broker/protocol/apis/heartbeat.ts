/** The bytes of Heartbeat, API key 12. */
export const heartbeatSchema = {
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexibleFrom: 4,
  request: {
    groupId: 'string',
    generationId: 'int32',
    memberId: 'string',
    groupInstanceId: 'string? 3+',
  },
  response: {
    throttleTimeMs: 'int32 1+',
    errorCode: 'int16',
  },
} as const
