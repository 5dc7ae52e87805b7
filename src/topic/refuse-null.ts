import { Fault } from '../base/fault.ts'
import type { StreamRecord } from './record.ts'

/** Which nulls the contract of a topic allows. */
export interface AllowedNulls {
  readonly topic: string
  readonly nullKeys: boolean
  readonly nullValues: boolean
  /** The node that reads the topic, where there is one. */
  readonly node?: string | undefined
}

/** A null that the contract does not allow is refused before anything else sees the record. */
export const refuseNull = (
  { topic, nullKeys, nullValues, node }: AllowedNulls,
  record: StreamRecord<unknown, unknown>,
): void => {
  const part =
    !nullKeys && record.hasNullKey ? 'key' : !nullValues && record.hasNullValue ? 'value' : undefined
  if (part === undefined) return
  throw new Fault({
    code: part === 'key' ? 'KEY_NULL' : 'VALUE_NULL',
    actor: 'record',
    message: `the record has a null ${part}, which the contract of its topic does not allow`,
    remedy: `declare the ${part} nullable(...), or fix the producer`,
    place: { topic, node },
  })
}
