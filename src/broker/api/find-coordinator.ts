import { NODE_ID, type Broker } from '../broker.ts'
import { findCoordinatorSchema } from '../protocol/apis/find-coordinator.ts'
import { Errors } from '../protocol/errors.ts'
import { api, type Api } from './api.ts'

const GROUP = 0
const TRANSACTION = 1

/** FindCoordinator: this broker, for every group and transactional id; several keys at once from version 4. */
export const findCoordinatorApi: Api = api(findCoordinatorSchema, (broker, request, { apiVersion }) => {
  const found = locate(broker, request.keyType)
  if (apiVersion < 4) return found
  return { coordinators: request.coordinatorKeys.map((key) => ({ key, ...found })) }
})

interface Found {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

const locate = (broker: Broker, keyType: number): Found =>
  keyType === GROUP || keyType === TRANSACTION
    ? { errorCode: Errors.NONE, errorMessage: null, nodeId: NODE_ID, ...broker.advertised }
    : {
        errorCode: Errors.INVALID_REQUEST,
        errorMessage: 'Only groups and transactional ids have coordinators here.',
        nodeId: -1,
        host: '',
        port: -1,
      }
