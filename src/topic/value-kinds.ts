import type { ValueKind } from '../base/options.ts'
import { checkArgument } from '../base/options.ts'
import { hasFunctions, synchronous } from '../base/value-kinds.ts'

/** The kinds of values that describe topics. JavaScript may give anything in their place. */

/** Only a call shows of other functions that they return promises. */
const refuseAsync = (what: string, value: unknown): void => {
  if (!serde.accepts(value)) return
  const { serialize, deserialize } = value as { readonly serialize: unknown; readonly deserialize: unknown }
  checkArgument(`${what}: serialize`, serialize, synchronous)
  checkArgument(`${what}: deserialize`, deserialize, synchronous)
}

export const serde: ValueKind = {
  needs: 'a serde',
  example: 'string, long or json(schema)',
  accepts: (value) => hasFunctions(value, 'serialize', 'deserialize'),
  checkParts: refuseAsync,
}

/** A serde, or a zod schema that stands for JSON under it. */
export const serdeSource: ValueKind = {
  needs: 'a serde or a zod schema',
  accepts: (value) => serde.accepts(value) || isSchema(value),
  checkParts: refuseAsync,
}

/** The headers of a record. What writes them checks each. */
export const headersKind: ValueKind = {
  needs: 'the headers of a record',
  example: "[['trace', bytes]]",
  accepts: Array.isArray,
}

/** What `topic` returns. */
export const topicContract: ValueKind = {
  needs: 'a topic',
  example: "topic('name', { value })",
  accepts: (value) => isContract(value) && typeof value.name === 'string' && serde.accepts(value.value),
}

/** What a sink needs of a topic: serializers are enough. */
export const sinkContract: ValueKind = {
  ...topicContract,
  accepts: (value) =>
    isContract(value) && typeof value.name === 'string' && hasFunctions(value.value, 'serialize'),
}

/** What `json` takes. */
export const schema: ValueKind = {
  needs: 'a zod schema',
  accepts: (value) => isSchema(value),
}

export const isSchema = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && '_zod' in value

interface Contract {
  readonly name: unknown
  readonly value: unknown
}

const isContract = (value: unknown): value is Contract =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  'value' in value &&
  hasFunctions((value as { readonly key?: unknown }).key, 'serialize')
