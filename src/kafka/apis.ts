import {
  Reader,
  ResponseError,
  addOffsetsToTxnV4,
  addPartitionsToTxnV3,
  apiVersionsV3,
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
import type { Writer } from '@platformatic/kafka'
import type { Bytes } from '../base/bytes.ts'
import type { BrokerAddress, Lane, Transport, WireRequest } from './transport.ts'

/**
 * The requests that Millrace sends, each pinned to one version: @platformatic/kafka's codecs, where its bytes are
 * right. Fetch and Produce have codecs of their own (fetch/fetch-codec.ts, produce/produce-codec.ts), which is where speed counts.
 */
export interface Api<Arguments extends readonly unknown[], Response> {
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
  { createRequest, parseResponse, api }: LibraryApi<Arguments, Response>,
  variation: Variation = {},
): Api<Arguments, Response> => ({
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
    return parse(0, api.key, api.version, Reader.from(asBuffer(body)))
  } catch (error) {
    const { response } = error as { response?: Response }
    if (error instanceof ResponseError && response !== undefined) return response
    throw error
  }
}

const asBuffer = (bytes: Bytes): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

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

/** Sends one request of `api` to one broker and decodes the answer; error codes are left to the caller. */
export const callApi = async <Arguments extends readonly unknown[], Response>(
  transport: Transport,
  broker: BrokerAddress,
  lane: Lane,
  api: Api<Arguments, Response>,
  ...args: Arguments
): Promise<Response> => api.decode(await transport.send(broker, lane, wireRequestOf(api, ...args)))

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

export const apiVersionsApi: ApiOf<typeof apiVersionsV3> = pin(apiVersionsV3, { taggedResponseHeader: false })
export const saslHandshakeApi: ApiOf<typeof saslHandshakeV1> = pin(saslHandshakeV1, untagged)
export const saslAuthenticateApi: ApiOf<typeof saslAuthenticateV2> = pin(saslAuthenticateV2)
export const metadataApi: ApiOf<typeof metadataV12> = pin(metadataV12)
export const findCoordinatorApi: ApiOf<typeof findCoordinatorV6> = pin(findCoordinatorV6)
export const listOffsetsApi: ApiOf<typeof listOffsetsV9> = pin(listOffsetsV9)

export const joinGroupApi: ApiOf<typeof joinGroupV9> = pin(joinGroupV9)
export const syncGroupApi: ApiOf<typeof syncGroupV5> = pin(syncGroupV5)
export const heartbeatApi: ApiOf<typeof heartbeatV4> = pin(heartbeatV4)
export const leaveGroupApi: ApiOf<typeof leaveGroupV5> = pin(leaveGroupV5)
export const offsetCommitApi: ApiOf<typeof offsetCommitV9> = pin(offsetCommitV9)
export const offsetFetchApi: ApiOf<typeof offsetFetchV9> = pin(offsetFetchV9)

export const initProducerIdApi: ApiOf<typeof initProducerIdV5> = pin(initProducerIdV5)
export const addPartitionsToTxnApi: ApiOf<typeof addPartitionsToTxnV3> = pin(addPartitionsToTxnV3)
export const addOffsetsToTxnApi: ApiOf<typeof addOffsetsToTxnV4> = pin(addOffsetsToTxnV4)
export const txnOffsetCommitV4Api: ApiOf<typeof txnOffsetCommitV4> = pin(txnOffsetCommitV4)
export const txnOffsetCommitV5Api: ApiOf<typeof txnOffsetCommitV4> = pin(txnOffsetCommitV4, { version: 5 })
export const endTxnV4Api: ApiOf<typeof endTxnV4> = pin(endTxnV4)
export const endTxnV5Api: Api<Parameters<typeof endTxnV4.createRequest>, EndTxnV5Response> = pin(
  { ...endTxnV4, parseResponse: parseEndTxnV5 },
  { version: 5 },
)
export const describeTransactionsApi: ApiOf<typeof describeTransactionsV0> = pin(describeTransactionsV0)
export const describeProducersApi: ApiOf<typeof describeProducersV0> = pin(describeProducersV0)

export const createTopicsApi: ApiOf<typeof createTopicsV7> = pin(createTopicsV7)
export const deleteTopicsApi: ApiOf<typeof deleteTopicsV6> = pin(deleteTopicsV6)
export const createPartitionsApi: ApiOf<typeof createPartitionsV3> = pin(createPartitionsV3)
export const deleteRecordsApi: ApiOf<typeof deleteRecordsV2> = pin(deleteRecordsV2)
export const describeConfigsApi: ApiOf<typeof describeConfigsV4> = pin(describeConfigsV4)
export const incrementalAlterConfigsApi: ApiOf<typeof incrementalAlterConfigsV1> =
  pin(incrementalAlterConfigsV1)
export const describeGroupsApi: ApiOf<typeof describeGroupsV5> = pin(describeGroupsV5)
export const listGroupsApi: ApiOf<typeof listGroupsV5> = pin(listGroupsV5)
export const deleteGroupsApi: ApiOf<typeof deleteGroupsV2> = pin(deleteGroupsV2)
export const offsetDeleteApi: ApiOf<typeof offsetDeleteV0> = pin(offsetDeleteV0, untagged)
