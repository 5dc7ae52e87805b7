import type { Bytes } from '../../base/bytes.ts'
import { codecOf, isFlexible } from './codec.ts'
import type { Reader } from './reader.ts'
import type { ApiSchema } from './schema.ts'
import { Writer } from './writer.ts'

/** What stands before the fields of a request; the frame's length prefix is the socket shell's business. */
export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
}

const API_VERSIONS = 18

/** Reads the header; the reader then stands at the first field. The client id keeps its old form in every version. */
export const readRequestHeader = (
  reader: Reader,
  schemaOf: (apiKey: number) => ApiSchema | undefined,
): RequestHeader => {
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  const length = reader.int16()
  const clientId = length < 0 ? null : reader.string(length)
  const schema = schemaOf(apiKey)
  if (schema !== undefined && isFlexible(schema, apiVersion)) skipTags(reader)
  return { apiKey, apiVersion, correlationId, clientId }
}

const skipTags = (reader: Reader): void => {
  for (let count = reader.unsignedVarint(); count > 0; count--) {
    reader.unsignedVarint()
    reader.view(reader.unsignedVarint())
  }
}

/** A whole response but for its length prefix. ApiVersions keeps the old header, as its reader knows no version yet. */
export const encodeResponse = (
  schema: ApiSchema,
  apiVersion: number,
  correlationId: number,
  response: unknown,
): readonly Bytes[] => {
  const writer = new Writer()
  writer.int32(correlationId)
  if (isFlexible(schema, apiVersion) && schema.key !== API_VERSIONS) writer.unsignedVarint(0)
  codecOf(schema, 'response', apiVersion).encode(writer, response)
  return writer.chunks()
}

export const decodeRequest = (schema: ApiSchema, apiVersion: number, reader: Reader): unknown =>
  codecOf(schema, 'request', apiVersion).decode(reader)
