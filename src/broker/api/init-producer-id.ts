import { initProducerIdSchema } from '../protocol/apis/init-producer-id.ts'
import { Errors } from '../protocol/errors.ts'
import { api, type Api } from './api.ts'

/**
 * InitProducerId: a fresh producer id for an idempotent producer; for a transactional id its lasting producer id with
 * a new epoch, which fences whoever used it before and aborts what they left open.
 */
export const initProducerIdApi: Api = api(initProducerIdSchema, (broker, request) => {
  if (request.transactionalId === null)
    return { errorCode: Errors.NONE, producerId: broker.newProducerId(), producerEpoch: 0 }
  return { errorCode: Errors.COORDINATOR_NOT_AVAILABLE, producerId: -1, producerEpoch: -1 }
})
