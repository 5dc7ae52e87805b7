import * as z from 'zod'
import { utf8Decode } from '../../base/bytes.ts'
import type { RowPlace } from '../../state/store-query.ts'
import { base64Decode } from './base64.ts'
import { badQuery } from './key-text.ts'
import { placeSchema } from './wire.ts'

/** Where a listing goes on: in which partition, and behind which row of it. */
export interface PageStart {
  readonly partition: number
  readonly after?: RowPlace | undefined
}

const schema = z.object({ partition: z.int().min(0), after: placeSchema.optional() })

/** As text that a URL takes as it is; what is in it is nobody else's business. */
export const encodeToken = (start: PageStart): string =>
  Buffer.from(JSON.stringify(z.encode(schema, start as z.output<typeof schema>))).toString('base64url')

export const decodeToken = (text: string): PageStart => {
  try {
    return schema.parse(JSON.parse(utf8Decode(base64Decode(text) ?? new Uint8Array())))
  } catch (cause) {
    throw badQuery("'after' must be what the last page gave", cause)
  }
}
