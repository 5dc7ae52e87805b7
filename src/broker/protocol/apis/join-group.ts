/** The bytes of JoinGroup, API key 11. */
export const joinGroupSchema = {
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexibleFrom: 6,
  request: {
    groupId: 'string',
    sessionTimeoutMs: 'int32',
    rebalanceTimeoutMs: 'int32 1+ =-1',
    memberId: 'string',
    groupInstanceId: 'string? 5+',
    protocolType: 'string',
    protocols: ['array', { name: 'string', metadata: 'bytes' }],
    reason: 'string? 8+',
  },
  response: {
    throttleTimeMs: 'int32 2+',
    errorCode: 'int16',
    generationId: 'int32 =-1',
    protocolType: 'string? 7+',
    protocolName: 'string?',
    leader: 'string',
    skipAssignment: 'boolean 9+',
    memberId: 'string',
    members: ['array', { memberId: 'string', groupInstanceId: 'string? 5+', metadata: 'bytes' }],
  },
} as const
