import { initProducerIdSchema } from '../protocol/apis/init-producer-id.ts'
import { Errors } from '../protocol/errors.ts'
import { api, attempt, type Api } from './api.ts'
import { fencedBefore } from './fenced.ts'

/**
 * InitProducerId: a fresh producer id for an idempotent producer; for a transactional id its lasting producer id with
 * a new epoch, which fences the producer that used it before and aborts what it left open.
 *
 * - A client that names its own id and epoch (v3+) raises its epoch, and is refused if another has taken over.
 */
export const initProducerIdApi: Api = api(initProducerIdSchema, (broker, request, { apiVersion }) => {
  const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch } = request
  if ((producerId === -1) !== (producerEpoch === -1))
    return { errorCode: Errors.INVALID_REQUEST, ...NO_IDENTITY }
  if (transactionalId === null)
    return { errorCode: Errors.NONE, producerId: broker.newProducerId(), producerEpoch: 0 }
  let identity = NO_IDENTITY
  const { errorCode } = attempt(() => {
    identity = broker.transactions.init({ transactionalId, timeoutMs, producerId, producerEpoch })
  })
  return { errorCode: fencedBefore(4, apiVersion, errorCode), ...identity }
})

const NO_IDENTITY = { producerId: -1, producerEpoch: -1 }
