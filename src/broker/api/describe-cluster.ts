import { NODE_ID } from '../broker.ts'
import { describeClusterSchema } from '../protocol/apis/describe-cluster.ts'
import { Errors } from '../protocol/errors.ts'
import { api, type Api } from './api.ts'

const BROKERS = 1

/** DescribeCluster: this one broker, which is its own controller; controller endpoints (v1) are not served. */
export const describeClusterApi: Api = api(describeClusterSchema, (broker, { endpointType }) => {
  if (endpointType !== BROKERS)
    return {
      errorCode: Errors.MISMATCHED_ENDPOINT_TYPE,
      errorMessage: 'The request was sent to an endpoint of type BROKER.',
      endpointType,
      clusterId: '',
      brokers: [],
    }
  return {
    errorCode: Errors.NONE,
    errorMessage: null,
    endpointType,
    clusterId: broker.clusterId,
    controllerId: NODE_ID,
    brokers: [{ brokerId: NODE_ID, ...broker.advertised, rack: null }],
  }
})
