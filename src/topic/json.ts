import * as z from 'zod'
import { utf8Decode } from '../base/bytes.ts'
import { Fault } from '../base/fault.ts'
import type { Serde } from './serde.ts'
import { serializeText } from './serde.ts'

/**
 * JSON text under a zod schema: what is read is parsed by it, what is written is encoded by it, so that no value that
 * breaks the contract enters or leaves a topology.
 *
 * @example
 * const Order = z.object({ id: z.string(), amount: z.number() })
 * const orders = topic('orders', { key: string, value: json(Order) }) // or just `value: Order`
 */
export const json = <S extends z.ZodType>(schema: S, name?: string): Serde<z.output<S>> => ({
  name: name ?? `json(${schema.meta()?.title ?? schema.type})`,
  nullable: false,
  // What is written is the input side of a codec; what JSON Schema cannot describe accepts anything.
  jsonSchema: () => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
  serialize: serializeText((value) => {
    const encoded = z.safeEncode(schema, value)
    if (!encoded.success) throw breach('written', encoded.error)
    return JSON.stringify(encoded.data)
  }),
  deserialize: (source, start, end) => {
    const decoded = schema.safeParse(parseJson(utf8Decode(source, start, end)))
    if (!decoded.success) throw breach('read', decoded.error)
    return decoded.data
  },
})

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Fault({
      code: 'JSON_INVALID',
      actor: 'record',
      message: `the value is not JSON: ${shorten(text)}`,
      remedy: 'mend the producer, or route such records to the dead letter topic',
      cause,
    })
  }
}

const breach = (direction: 'read' | 'written', error: z.ZodError): Fault =>
  new Fault({
    code: 'SCHEMA_VIOLATION',
    actor: 'record',
    message: `the value ${direction} breaks the topic's schema: ${issuesOf(error)}`,
    cause: error,
  })

const issuesOf = (error: z.ZodError): string =>
  error.issues.map((issue) => `${issue.path.join('.') || 'value'}: ${issue.message}`).join(', ')

const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text)
