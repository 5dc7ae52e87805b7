/** The bytes of EndTxn, API key 26. */
export const endTxnSchema = {
  key: 26,
  name: 'EndTxn',
  versions: [0, 5],
  flexibleFrom: 3,
  request: {
    transactionalId: 'string',
    producerId: 'int64',
    producerEpoch: 'int16',
    committed: 'boolean',
  },
  response: {
    throttleTimeMs: 'int32',
    errorCode: 'int16',
    producerId: 'int64 5+ =-1',
    producerEpoch: 'int16 5+ =-1',
  },
} as const
