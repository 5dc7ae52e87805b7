import * as z from 'zod'
import { utf8Decode } from '../base/bytes.ts'
import { Fault, messageOf } from '../base/fault.ts'
import { checkArgument } from '../base/options.ts'
import { schema as schemaKind } from './value-kinds.ts'
import { refuseUnwritable } from './json-schema.ts'
import { refuseLostKeys, refuseUnheld, unreadable } from './json-value.ts'
import type { Serde } from './serde.ts'
import { serializeText } from './serde.ts'

/**
 * JSON text under a zod schema: what is read is parsed by it, what is written is encoded by it, so that no value that
 * breaks the contract enters or leaves a topology. A schema whose values JSON cannot hold (`z.date()`, `z.map()`,
 * `z.bigint()`, `z.instanceof()`, transforms) is refused: `z.codec()` says how such a value is written and read.
 *
 * @example
 * const Order = z.object({ id: z.string(), amount: z.number() })
 * const orders = topic('orders', { key: string, value: json(Order) }) // or just `value: Order`
 */
export const json = <S extends z.ZodType>(schema: S, name?: string): Serde<z.output<S>> => {
  checkArgument('json', schema, schemaKind)
  const { hasOpenValues, hasOpenKeys } = refuseUnwritable(schema)
  return {
    name: name ?? `json(${schema.meta()?.title ?? schema.type})`,
    nullable: false,
    // What is written is the input side of a codec; what JSON Schema cannot describe accepts anything.
    jsonSchema: () => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
    serialize: serializeText((value) => {
      const encoded = z.safeEncode(schema, value)
      if (!encoded.success) throw breach('written', encoded.error)
      const text = textOfJson(encoded.data)
      // After the text: a value that contains itself is refused by it.
      if (hasOpenKeys) refuseLostKeys(value, encoded.data)
      if (hasOpenValues && refuseUnheld(encoded.data)) refuseUnreadable(schema, text)
      return text
    }),
    deserialize: (source, start, end) => {
      const decoded = schema.safeParse(parseJson(utf8Decode(source, start, end)))
      if (!decoded.success) throw breach('read', decoded.error)
      return decoded.data
    },
  }
}

/** A property may be undefined under `z.any()`, but zod does not read an object without it. */
const refuseUnreadable = (schema: z.ZodType, text: string): void => {
  const read = schema.safeParse(JSON.parse(text))
  if (!read.success) throw unreadable(read.error, issuesOf(read.error))
}

const textOfJson = (value: unknown): string => {
  try {
    const text: string | undefined = JSON.stringify(value)
    if (text !== undefined) return text
  } catch (cause) {
    throw new Fault({
      code: 'VALUE_NOT_JSON',
      actor: 'record',
      message: `the value cannot be written as JSON: ${messageOf(cause)}`,
      remedy: 'declare it in the schema with z.codec(...), or make it plain data',
      cause,
    })
  }
  throw new Fault({
    code: 'VALUE_NOT_JSON',
    actor: 'record',
    message: `the value cannot be written as JSON: JSON has no ${typeof value}`,
    remedy: 'write null to delete a row, or make it plain data',
  })
}

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
