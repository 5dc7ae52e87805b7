import type { Bytes } from '../../base/bytes.ts'

/** Bytes as text: standard base64 is written, base64url is read too. */
export const base64Encode = (bytes: Bytes): string => Buffer.from(bytes).toString('base64')

export const base64Decode = (text: string): Bytes | undefined =>
  /^[A-Za-z0-9+/_-]*={0,2}$/.test(text) ? new Uint8Array(Buffer.from(text, 'base64')) : undefined
