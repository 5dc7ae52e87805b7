import { Errors } from '../protocol/errors.ts'
import { apiVersionsSchema } from '../protocol/apis/api-versions.ts'
import { api, type Api } from './api.ts'

/**
 * ApiVersions: which APIs and versions this broker serves, and its finalized features.
 *
 * - Produce is advertised from 0 though it is served from 3: librdkafka takes a higher minimum for an old broker
 *   (KAFKA-18659).
 * - A version that is too new is answered with a v0 body and UNSUPPORTED_VERSION by the core, so that a client can ask
 *   again.
 */
export const apiVersionsApi = (served: () => Iterable<Api>): Api =>
  api(apiVersionsSchema, (broker, request, { apiVersion }) => {
    if (apiVersion >= 3 && !isSoftware(request.clientSoftwareName, request.clientSoftwareVersion))
      return { errorCode: Errors.INVALID_REQUEST, apiKeys: [] }
    return {
      errorCode: Errors.NONE,
      apiKeys: advertisedVersions(served()),
      ...features(broker.settings.transactionVersion),
    }
  })

/** What ApiVersions says of each API. */
export const advertisedVersions = (
  served: Iterable<Api>,
): { apiKey: number; minVersion: number; maxVersion: number }[] =>
  Array.from(served, ({ schema }) => ({
    apiKey: schema.key,
    minVersion: schema.key === 0 ? 0 : schema.versions[0],
    maxVersion: schema.versions[1],
  }))

const features = (transactionVersion: number): object =>
  transactionVersion === 0
    ? {}
    : {
        supportedFeatures: [{ name: 'transaction.version', minVersion: 0, maxVersion: 2 }],
        finalizedFeaturesEpoch: 1,
        finalizedFeatures: [
          {
            name: 'transaction.version',
            maxVersionLevel: transactionVersion,
            minVersionLevel: transactionVersion,
          },
        ],
      }

const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/
const isSoftware = (...words: string[]): boolean => words.every((word) => SOFTWARE.test(word))
