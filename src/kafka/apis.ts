import {
  ResponseError,
  addOffsetsToTxnV4,
  addPartitionsToTxnV3,
  createPartitionsV3,
  createTopicsV7,
  deleteGroupsV2,
  deleteRecordsV2,
  deleteTopicsV6,
  describeConfigsV4,
  describeGroupsV5,
  describeProducersV0,
  describeTransactionsV0,
  endTxnV4,
  findCoordinatorV6,
  heartbeatV4,
  incrementalAlterConfigsV1,
  initProducerIdV5,
  joinGroupV9,
  leaveGroupV5,
  listGroupsV5,
  listOffsetsV9,
  metadataV12,
  offsetCommitV9,
  offsetDeleteV0,
  offsetFetchV9,
  saslAuthenticateV2,
  saslHandshakeV1,
  syncGroupV5,
  txnOffsetCommitV4,
} from '@platformatic/kafka'
import type { Reader, Writer } from '@platformatic/kafka'
import type { Bytes } from '../base/bytes.ts'
import { BoundedReader } from './bounded-reader.ts'
import { malformedResponse } from './malformed-response.ts'
import type { BrokerAddress, Lane, Transport, WireRequest } from './transport.ts'

/**
 * The requests that Millrace sends, each pinned to one version: @platformatic/kafka's codecs, where its bytes are
 * right. Fetch and Produce have codecs of their own (fetch/fetch-codec.ts, produce/produce-codec.ts), which is where speed counts,
 * and so has ApiVersions (api-versions-codec.ts).
 */
export interface Api<Arguments extends readonly unknown[], Response> {
  /** Kafka's, such as `OffsetFetch`. */
  readonly name: string
  readonly key: number
  readonly version: number
  readonly encode: (...args: Arguments) => Bytes
  readonly decode: (body: Bytes) => Response
  readonly taggedRequestHeader: boolean
  readonly taggedResponseHeader: boolean
}

interface LibraryApi<Arguments extends readonly unknown[], Response> {
  readonly createRequest: (...args: [...Arguments]) => Writer
  readonly parseResponse: (
    correlationId: number,
    apiKey: number,
    apiVersion: number,
    reader: Reader,
  ) => Response
  readonly api: { readonly key: number; readonly version: number }
}

interface Variation {
  /** Another version with the same bytes. */
  readonly version?: number
  readonly taggedRequestHeader?: boolean
  readonly taggedResponseHeader?: boolean
}

const pin = <Arguments extends readonly unknown[], Response>(
  name: string,
  { createRequest, parseResponse, api }: LibraryApi<Arguments, Response>,
  variation: Variation = {},
): Api<Arguments, Response> => ({
  name,
  key: api.key,
  version: variation.version ?? api.version,
  encode: (...args) => createRequest(...args).buffer,
  decode: (body) => decodeWith(parseResponse, api, body),
  taggedRequestHeader: variation.taggedRequestHeader ?? true,
  taggedResponseHeader: variation.taggedResponseHeader ?? true,
})

/** The response with its error codes as fields: the library throws what it has decoded as soon as one is set. */
const decodeWith = <Response>(
  parse: LibraryApi<readonly unknown[], Response>['parseResponse'],
  api: { readonly key: number; readonly version: number },
  body: Bytes,
): Response => {
  try {
    return parse(0, api.key, api.version, BoundedReader.of(body))
  } catch (error) {
    const { response } = error as { response?: Response }
    if (error instanceof ResponseError && response !== undefined) return response
    throw error
  }
}

/** One request of `api` as a transport takes it. */
export const wireRequestOf = <Arguments extends readonly unknown[], Response>(
  api: Api<Arguments, Response>,
  ...args: Arguments
): WireRequest => ({
  apiKey: api.key,
  apiVersion: api.version,
  body: api.encode(...args),
  taggedRequestHeader: api.taggedRequestHeader,
  taggedResponseHeader: api.taggedResponseHeader,
})

/**
 * Sends one request of `api` to one broker and decodes the answer; error codes are left to the caller. An answer that
 * cannot be read ends the connection, and is a fault to try again (`RESPONSE_MALFORMED`).
 */
export const callApi = async <Arguments extends readonly unknown[], Response>(
  transport: Transport,
  broker: BrokerAddress,
  lane: Lane,
  api: Api<Arguments, Response>,
  ...args: Arguments
): Promise<Response> => {
  const body = await transport.send(broker, lane, wireRequestOf(api, ...args))
  try {
    return api.decode(body)
  } catch (error) {
    const fault = malformedResponse(broker, api, error)
    transport.disconnect(broker, lane, fault)
    throw fault
  }
}

/** EndTxn 5 has the request of version 4; its response adds the identity that the next transaction must use. */
const parseEndTxnV5 = (
  _correlationId: number,
  _apiKey: number,
  _apiVersion: number,
  reader: Reader,
): EndTxnV5Response => ({
  throttleTimeMs: reader.readInt32(),
  errorCode: reader.readInt16(),
  producerId: reader.readInt64(),
  producerEpoch: reader.readInt16(),
})

export interface EndTxnV5Response {
  readonly throttleTimeMs: number
  readonly errorCode: number
  readonly producerId: bigint
  readonly producerEpoch: number
}

type ApiOf<L> = L extends LibraryApi<infer Arguments, infer Response> ? Api<Arguments, Response> : never

const untagged: Variation = { taggedRequestHeader: false, taggedResponseHeader: false }

export const saslHandshakeApi: ApiOf<typeof saslHandshakeV1> = pin('SaslHandshake', saslHandshakeV1, untagged)
export const saslAuthenticateApi: ApiOf<typeof saslAuthenticateV2> = pin(
  'SaslAuthenticate',
  saslAuthenticateV2,
)
export const metadataApi: ApiOf<typeof metadataV12> = pin('Metadata', metadataV12)
export const findCoordinatorApi: ApiOf<typeof findCoordinatorV6> = pin('FindCoordinator', findCoordinatorV6)
export const listOffsetsApi: ApiOf<typeof listOffsetsV9> = pin('ListOffsets', listOffsetsV9)

export const joinGroupApi: ApiOf<typeof joinGroupV9> = pin('JoinGroup', joinGroupV9)
export const syncGroupApi: ApiOf<typeof syncGroupV5> = pin('SyncGroup', syncGroupV5)
export const heartbeatApi: ApiOf<typeof heartbeatV4> = pin('Heartbeat', heartbeatV4)
export const leaveGroupApi: ApiOf<typeof leaveGroupV5> = pin('LeaveGroup', leaveGroupV5)
export const offsetCommitApi: ApiOf<typeof offsetCommitV9> = pin('OffsetCommit', offsetCommitV9)
export const offsetFetchApi: ApiOf<typeof offsetFetchV9> = pin('OffsetFetch', offsetFetchV9)

export const initProducerIdApi: ApiOf<typeof initProducerIdV5> = pin('InitProducerId', initProducerIdV5)
export const addPartitionsToTxnApi: ApiOf<typeof addPartitionsToTxnV3> = pin(
  'AddPartitionsToTxn',
  addPartitionsToTxnV3,
)
export const addOffsetsToTxnApi: ApiOf<typeof addOffsetsToTxnV4> = pin('AddOffsetsToTxn', addOffsetsToTxnV4)
export const txnOffsetCommitV4Api: ApiOf<typeof txnOffsetCommitV4> = pin('TxnOffsetCommit', txnOffsetCommitV4)
export const txnOffsetCommitV5Api: ApiOf<typeof txnOffsetCommitV4> = pin(
  'TxnOffsetCommit',
  txnOffsetCommitV4,
  { version: 5 },
)
export const endTxnV4Api: ApiOf<typeof endTxnV4> = pin('EndTxn', endTxnV4)
export const endTxnV5Api: Api<Parameters<typeof endTxnV4.createRequest>, EndTxnV5Response> = pin(
  'EndTxn',
  { ...endTxnV4, parseResponse: parseEndTxnV5 },
  { version: 5 },
)
export const describeTransactionsApi: ApiOf<typeof describeTransactionsV0> = pin(
  'DescribeTransactions',
  describeTransactionsV0,
)
export const describeProducersApi: ApiOf<typeof describeProducersV0> = pin(
  'DescribeProducers',
  describeProducersV0,
)

export const createTopicsApi: ApiOf<typeof createTopicsV7> = pin('CreateTopics', createTopicsV7)
export const deleteTopicsApi: ApiOf<typeof deleteTopicsV6> = pin('DeleteTopics', deleteTopicsV6)
export const createPartitionsApi: ApiOf<typeof createPartitionsV3> = pin(
  'CreatePartitions',
  createPartitionsV3,
)
export const deleteRecordsApi: ApiOf<typeof deleteRecordsV2> = pin('DeleteRecords', deleteRecordsV2)
export const describeConfigsApi: ApiOf<typeof describeConfigsV4> = pin('DescribeConfigs', describeConfigsV4)
export const incrementalAlterConfigsApi: ApiOf<typeof incrementalAlterConfigsV1> = pin(
  'IncrementalAlterConfigs',
  incrementalAlterConfigsV1,
)
export const describeGroupsApi: ApiOf<typeof describeGroupsV5> = pin('DescribeGroups', describeGroupsV5)
export const listGroupsApi: ApiOf<typeof listGroupsV5> = pin('ListGroups', listGroupsV5)
export const deleteGroupsApi: ApiOf<typeof deleteGroupsV2> = pin('DeleteGroups', deleteGroupsV2)
export const offsetDeleteApi: ApiOf<typeof offsetDeleteV0> = pin('OffsetDelete', offsetDeleteV0, untagged)
