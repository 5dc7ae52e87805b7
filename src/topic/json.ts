import * as z from 'zod'
import { takeRejections } from '../base/promises.ts'
import { isStackOverflow } from '../base/fault.ts'
import { checkArgument } from '../base/options.ts'
import { schema as schemaKind } from './value-kinds.ts'
import type { OpenParts } from './json-schema.ts'
import { refuseUnwritable } from './json-schema.ts'
import { isTooDeep } from './json-depth.ts'
import { breach, hasNoText, notJson, stringifyFailed, tooDeep, unreadable } from './json-faults.ts'
import { refuseLostKeys, refuseUnheld } from './json-value.ts'
import type { Serde } from './serde.ts'
import { deserializeText, markChanging, serializeText } from './serde.ts'

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
  const parts = refuseUnwritable(schema)
  return {
    name: name ?? `json(${schema.meta()?.title ?? schema.type})`,
    nullable: false,
    // What is written is the input side of a codec; what JSON Schema cannot describe accepts anything.
    jsonSchema: () => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
    serialize: markChanging(
      serializeText((value) => {
        try {
          return textOf(schema, parts, value)
        } catch (error) {
          takeRejections(value)
          throw ofRecord(error)
        }
      }),
      parts.changesValues,
    ),
    deserialize: deserializeText((text) => {
      try {
        return valueOf(schema, parts, text)
      } catch (error) {
        throw ofRecord(error)
      }
    }),
  }
}

/** A value that overflows the stack is that record's failure. Deeper values than the limit come only from callbacks. */
const ofRecord = (error: unknown): unknown => (isStackOverflow(error) ? tooDeep(error) : error)

const textOf = <S extends z.ZodType>(schema: S, parts: OpenParts, value: z.output<S>): string => {
  const encoded = z.safeEncode(schema, value)
  if (!encoded.success) throw breach('written', encoded.error, parts.names)
  const text = textOfJson(encoded.data)
  if (parts.mayBeDeep && isTooDeep(text)) throw tooDeep()
  // After the text: a value that contains itself is refused by it.
  if (parts.hasOpenKeys) refuseLostKeys(value, encoded.data, parts.names)
  if (parts.hasOpenValues && refuseUnheld(encoded.data, parts.names)) refuseUnreadable(schema, parts, text)
  return text
}

const valueOf = <S extends z.ZodType>(schema: S, parts: OpenParts, text: string): z.output<S> => {
  if (parts.mayBeDeep && isTooDeep(text)) throw tooDeep()
  const decoded = z.safeParse(schema, parseJson(text))
  if (!decoded.success) throw breach('read', decoded.error, parts.names)
  return decoded.data
}

/** A property may be undefined under `z.any()`, but zod does not read an object without it. */
const refuseUnreadable = (schema: z.ZodType, { names }: OpenParts, text: string): void => {
  const read = schema.safeParse(JSON.parse(text))
  if (!read.success) throw unreadable(read.error, names)
}

const textOfJson = (value: unknown): string => {
  const text = stringify(value)
  if (text === undefined) throw hasNoText(value)
  return text
}

const stringify = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    throw isStackOverflow(cause) ? cause : stringifyFailed(cause)
  }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw notJson(text, cause)
  }
}
