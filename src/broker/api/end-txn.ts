import { endTxnSchema } from '../protocol/apis/end-txn.ts'
import { api, attempt, type Api } from './api.ts'
import { fencedBefore } from './fenced.ts'

/**
 * EndTxn: commits or aborts. Answered when the decision is taken; the markers follow.
 *
 * - From version 5 on (TV2) the answer brings the identity for the next transaction, with a raised epoch.
 */
export const endTxnApi: Api = api(endTxnSchema, (broker, request, { apiVersion }) => {
  const { committed } = request
  if (apiVersion < 5) {
    const { errorCode } = attempt(() => broker.transactions.end(request, committed))
    return { errorCode: fencedBefore(2, apiVersion, errorCode) }
  }
  let identity = { producerId: -1, producerEpoch: -1 }
  const { errorCode } = attempt(() => {
    identity = broker.transactions.endAndRaise(request, committed)
  })
  return { errorCode, ...identity }
})
