/** The bytes of DeleteGroups, API key 42. */
export const deleteGroupsSchema = {
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    groupsNames: 'string[]',
  },
  response: {
    throttleTimeMs: 'int32',
    results: ['array', { groupId: 'string', errorCode: 'int16' }],
  },
} as const
