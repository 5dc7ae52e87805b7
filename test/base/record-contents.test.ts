import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { Fault, messageOf, printableStackOf } from '../../src/base/fault.ts'

const secret = 'alice@example.org'
/** As JavaScript sees it that knows no types. */
const untyped = secret as never

const quoting: Readonly<Record<string, () => unknown>> = {
  'JSON.parse': () => JSON.parse(secret),
  'JSON.parse in the middle': () => JSON.parse(`{"a": ${secret}`),
  BigInt: () => BigInt(secret),
  'BigInt.asIntN': () => BigInt.asIntN(3, untyped),
  RegExp: () => new RegExp(`${secret}(`),
  URL: () => new URL(secret),
  'a currency': () => new Intl.NumberFormat('en', { style: 'currency', currency: secret }),
  'a time zone': () => new Intl.DateTimeFormat('en', { timeZone: secret }),
  TextDecoder: () => new TextDecoder(secret),
  structuredClone: () => structuredClone({ call: () => 'alice@example.org' }),
  'Object.fromEntries': () => Object.fromEntries([untyped]),
  'Buffer.alloc': () => Buffer.alloc(untyped),
  'a buffer': () => Buffer.from('a').readInt8(untyped),
  'a file': () => readFileSync(secret),
  Headers: () => new Headers({ [secret]: 'a' }),
  'a property of nothing': () => (undefined as never)[secret],
  'a property of a frozen object': () =>
    ((Object.freeze({ [secret]: 1 }) as Record<string, number>)[secret] = 2),
  in: () => secret in untyped,
  'a strict schema': () => z.strictObject({}).parse({ [secret]: 1 }),
  'a schema of rows': () => z.record(z.string(), z.number()).parse({ [secret]: 'text' }),
}

const thrownBy = (call: () => unknown): unknown => {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('it throws nothing')
}

describe('an error that quotes its argument', () => {
  it.each(Object.entries(quoting))('%s: shows it in no message, stack or cause', (_name, call) => {
    const error = thrownBy(call)
    expect(messageOf(error)).not.toContain(secret)
    expect(printableStackOf(error)?.split('\n    at ')[0]).not.toContain(secret)
    const fault = new Fault({
      code: 'PROCESSING_FAILED',
      actor: 'record',
      message: messageOf(error),
      cause: error,
    })
    expect((fault.cause as Error).message).not.toContain(secret)
    expect(Object.values(fault.cause as Error)).not.toContain(secret)
    expect(fault.contents['error']).toContain((error as Error).message.slice(0, 1))
  })

  it('says which function has thrown what', () => {
    expect(messageOf(thrownBy(() => BigInt(secret)))).toBe(
      'BigInt has thrown SyntaxError (logRecordContents shows what it says)',
    )
    expect(messageOf(thrownBy(() => Buffer.alloc(untyped)))).toContain(
      'Buffer.alloc has thrown TypeError ERR_INVALID_ARG_TYPE',
    )
    expect(messageOf(thrownBy(() => z.object({ a: z.number() }).parse({ a: 'b' })))).toBe(
      'the value breaks its schema: Invalid input: expected number, received string',
    )
  })
})

describe('the message of an error is shown', () => {
  it.each(
    Object.entries({
      'of a callback': (): never => {
        throw new TypeError('no such customer')
      },
      'of a callback within a built-in function': () =>
        [1].map(() => {
          throw new RangeError('too many')
        }),
      'of a network': () => {
        throw Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), {
          code: 'ECONNREFUSED',
          syscall: 'connect',
        })
      },
      'of an undefined property': () => (undefined as unknown as { total: number }).total,
      'of a frozen list': () => (Object.freeze([1]) as number[]).push(2),
      'of a frozen object': (): number => ((Object.freeze({ total: 1 }) as { total: number }).total = 2),
      'that quotes nothing': () => new Date(Number.NaN).toISOString(),
    }),
  )('%s', (_name, call) => {
    const error = thrownBy(call)
    expect(messageOf(error)).toBe((error as Error).message)
    expect(new Fault({ code: 'X', actor: 'record', message: 'x', cause: error }).cause).toBe(error)
  })
})
