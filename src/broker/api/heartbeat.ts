import { heartbeatSchema } from '../protocol/apis/heartbeat.ts'
import { api, type Api } from './api.ts'

/** Heartbeat: a sign of life, answered REBALANCE_IN_PROGRESS while members are asked to join again. */
export const heartbeatApi: Api = api(heartbeatSchema, (broker, request) => ({
  errorCode: broker.groups.heartbeat(
    request.groupId,
    request.memberId,
    request.groupInstanceId,
    request.generationId,
  ),
}))
