import { utf8Decode, utf8Encode } from '../base/bytes.ts'
import type { Serde } from '../topic/serde.ts'
import type { SagaState } from './state.ts'

/** The state of a saga in its store and changelog: plain JSON. */
export const stateSerde = (saga: string): Serde<SagaState> => ({
  name: `saga(${saga})`,
  nullable: false,
  serialize: (state) => utf8Encode(JSON.stringify(state)),
  deserialize: (source, start, end) => JSON.parse(utf8Decode(source, start, end)) as SagaState,
})
