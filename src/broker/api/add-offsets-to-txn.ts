import { addOffsetsToTxnSchema } from '../protocol/apis/add-offsets-to-txn.ts'
import { Errors } from '../protocol/errors.ts'
import { api, attempt, type Api } from './api.ts'
import { fencedBefore } from './fenced.ts'

/** AddOffsetsToTxn: makes a group's offsets part of a transaction, before TxnOffsetCommit brings them. */
export const addOffsetsToTxnApi: Api = api(addOffsetsToTxnSchema, (broker, request, { apiVersion }) => {
  if (request.groupId === '') return { errorCode: Errors.INVALID_GROUP_ID }
  const { errorCode } = attempt(() => broker.transactions.add(request, [], request.groupId))
  return { errorCode: fencedBefore(2, apiVersion, errorCode) }
})
