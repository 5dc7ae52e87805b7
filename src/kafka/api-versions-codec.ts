import type { Bytes } from '../base/bytes.ts'
import type { Api } from './apis.ts'
import { WireReader, WireWriter } from './wire-bytes.ts'

/**
 * ApiVersions 3, of which the finalized features are wanted, such as `transaction.version`. By hand: the library reads them
 * by a reader that believes every count.
 */
export interface ApiVersionsResponse {
  readonly errorCode: number
  readonly throttleTimeMs: number
  readonly finalizedFeatures: readonly FinalizedFeature[]
}

interface FinalizedFeature {
  readonly name: string
  readonly maxVersionLevel: number
}

const encodeApiVersions = (clientName: string, clientVersion: string): Bytes =>
  new WireWriter().compactString(clientName).compactString(clientVersion).noTags().bytes

const decodeApiVersions = (body: Bytes): ApiVersionsResponse => {
  const reader = new WireReader(body)
  const errorCode = reader.int16()
  // A broker without version 3 answers in version 0.
  if (errorCode !== 0) return { errorCode, throttleTimeMs: 0, finalizedFeatures: [] }
  reader.compactArray(() => {
    reader.skip(apiBytes)
    reader.skipTags()
  })
  const throttleTimeMs = reader.int32()
  let finalizedFeatures: readonly FinalizedFeature[] = []
  reader.tags((tag, payload) => {
    if (tag === finalizedFeaturesTag) finalizedFeatures = payload.compactArray(() => featureIn(payload))
  })
  return { errorCode, throttleTimeMs, finalizedFeatures }
}

/** Key, lowest and highest version. */
const apiBytes = 6
const finalizedFeaturesTag = 2

const featureIn = (reader: WireReader): FinalizedFeature => {
  const name = reader.compactString() ?? ''
  const maxVersionLevel = reader.int16()
  reader.int16() // lowest level
  reader.skipTags()
  return { name, maxVersionLevel }
}

export const apiVersionsApi: Api<[clientName: string, clientVersion: string], ApiVersionsResponse> = {
  name: 'ApiVersions',
  key: 18,
  version: 3,
  encode: encodeApiVersions,
  decode: decodeApiVersions,
  taggedRequestHeader: true,
  taggedResponseHeader: false,
}
