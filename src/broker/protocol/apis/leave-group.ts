/** The bytes of LeaveGroup, API key 13. */
export const leaveGroupSchema = {
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexibleFrom: 4,
  request: {
    groupId: 'string',
    memberId: 'string 0-2',
    members: ['array 3+', { memberId: 'string', groupInstanceId: 'string?', reason: 'string? 5+' }],
  },
  response: {
    throttleTimeMs: 'int32 1+',
    errorCode: 'int16',
    members: ['array 3+', { memberId: 'string', groupInstanceId: 'string?', errorCode: 'int16' }],
  },
} as const
