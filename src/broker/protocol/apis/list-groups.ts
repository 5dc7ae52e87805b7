/** The bytes of ListGroups, API key 16. */
export const listGroupsSchema = {
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexibleFrom: 3,
  request: {
    statesFilter: 'string[] 4+',
    typesFilter: 'string[] 5+',
  },
  response: {
    throttleTimeMs: 'int32 1+',
    errorCode: 'int16',
    groups: [
      'array',
      { groupId: 'string', protocolType: 'string', groupState: 'string 4+', groupType: 'string 5+' },
    ],
  },
} as const
