import { Fault } from './fault.ts'

/**
 * The fault of bytes that end before their last field, or hold a count or a length that cannot be true. Every reader of
 * binary fields throws it, before it allocates and before it loops; the caller adds where the bytes came from.
 */
export const malformedBytes = (why: string): Fault =>
  new Fault({ code: 'BYTES_MALFORMED', actor: 'runtime', message: why })

/** A field needs more bytes than there are left, or says that it has a negative length. */
export const endTooEarly = (): Fault => malformedBytes('the bytes end too early')

/** Refuses a count of items that the bytes left cannot hold, as each item takes at least `itemBytes`. */
export const checkCount = (count: number, bytesLeft: number, itemBytes: number): number => {
  if (count < 0 || count * itemBytes > bytesLeft)
    throw malformedBytes(`${count} items cannot stand in the ${bytesLeft} bytes that are left`)
  return count
}
