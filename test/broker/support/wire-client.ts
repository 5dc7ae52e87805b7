import { concatBytes } from '../../../src/base/bytes.ts'
import type { BrokerCore, Connection } from '../../../src/broker/core.ts'
import { codecOf, isFlexible } from '../../../src/broker/protocol/codec.ts'
import { Reader } from '../../../src/broker/protocol/reader.ts'
import type { ApiSchema, Draft, Message } from '../../../src/broker/protocol/schema.ts'
import { Writer } from '../../../src/broker/protocol/writer.ts'

/** A client that says exactly what a test wants said, in process: the broker's own schema table, read backwards. */
export class WireClient {
  readonly #connection: Connection
  #correlationId = 0

  constructor(core: BrokerCore) {
    this.#connection = core.connect()
  }

  /** Resolves with undefined where no answer is due (acks=0). */
  async call<const S extends ApiSchema>(
    schema: S,
    version: number,
    fields: Draft<S['request']>,
  ): Promise<Message<S['response']>> {
    const chunks = await this.#connection.request(
      encodeRequest(schema, version, ++this.#correlationId, fields),
    )
    return decodeResponse(schema, version, concatBytes(...(chunks ?? [])))
  }

  /** As `call`, for requests without an answer. */
  async tell<const S extends ApiSchema>(
    schema: S,
    version: number,
    fields: Draft<S['request']>,
  ): Promise<boolean> {
    const chunks = await this.#connection.request(
      encodeRequest(schema, version, ++this.#correlationId, fields),
    )
    return chunks === undefined
  }

  close(): void {
    this.#connection.close()
  }
}

export const encodeRequest = (
  schema: ApiSchema,
  version: number,
  correlationId: number,
  fields: unknown,
): Uint8Array => {
  const writer = new Writer()
  writer.int16(schema.key)
  writer.int16(version)
  writer.int32(correlationId)
  writer.int16(4)
  writer.raw(Writer.utf8('test'))
  if (isFlexible(schema, version)) writer.unsignedVarint(0)
  codecOf(schema, 'request', version).encode(writer, fields)
  return concatBytes(...writer.chunks())
}

export const decodeResponse = <S extends ApiSchema>(
  schema: S,
  version: number,
  bytes: Uint8Array,
): Message<S['response']> => {
  const reader = new Reader(bytes)
  reader.int32()
  if (isFlexible(schema, version) && schema.key !== 18) reader.unsignedVarint()
  return codecOf(schema, 'response', version).decode(reader) as Message<S['response']>
}

/** Lets everything that is already decided run to its end. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}
