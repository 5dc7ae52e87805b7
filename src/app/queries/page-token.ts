import * as z from 'zod'
import { utf8Decode } from '../../base/bytes.ts'
import type { RowPlace } from '../../state/store-query.ts'
import type { CurrentSecret } from '../secret.ts'
import { base64Decode } from './base64.ts'
import { badQuery } from './key-text.ts'
import { codeOf, isSame } from './member-signature.ts'
import { placeSchema } from './wire.ts'

/** Where a listing goes on: in which partition, and behind which row of it. */
export interface PageStart {
  readonly partition: number
  readonly after?: RowPlace | undefined
}

const schema = z.object({ partition: z.int().min(0), after: placeSchema.optional() })

/**
 * Writes and reads `after`, as text that a URL takes as it is. With a secret, which all processes of the application have,
 * it carries an authentication code over itself and the request that it continues. Without one it is not authenticated, so
 * that any process continues what another one began: what it holds is checked against the request, and can only skip rows.
 */
export class PageTokens {
  readonly #secret: CurrentSecret | undefined

  constructor(secret: CurrentSecret | undefined) {
    this.#secret = secret
  }

  encode(start: PageStart, request: string): string {
    const text = Buffer.from(JSON.stringify(z.encode(schema, start as z.output<typeof schema>))).toString(
      'base64url',
    )
    const [secret] = this.#secret?.lines ?? []
    return secret === undefined ? text : `${text}.${codeOf(secret, 'page', request, text)}`
  }

  decode(token: string, request: string): PageStart {
    const [text = '', code = ''] = token.split('.')
    const secrets = this.#secret?.lines
    if (secrets?.some((secret) => isSame(code, codeOf(secret, 'page', request, text))) === false)
      throw badQuery(wrongToken)
    try {
      return schema.parse(JSON.parse(utf8Decode(base64Decode(text) ?? new Uint8Array())))
    } catch (cause) {
      throw badQuery(wrongToken, cause)
    }
  }
}

const wrongToken = "'after' must be what the last page of this request gave"
