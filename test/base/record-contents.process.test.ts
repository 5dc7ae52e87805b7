import assert from 'node:assert'
import { execFileSync } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { readFile, readFileSync } from 'node:fs'
import { validateHeaderName } from 'node:http'
import { createRequire } from 'node:module'
import { inspect } from 'node:util'
import { runInThisContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { contentsOf, Fault, messageOf, printableStackOf } from '../../src/base/fault.ts'
import { withoutQuotedText } from '../../src/base/record-contents.ts'

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
  'a file that the process changes to': () => process.chdir(secret),
  'a program': () => execFileSync('false', [secret]),
  'a program that is not there': () => execFileSync(secret),
  'a module': () => createRequire(import.meta.url)(secret),
  'a script': () => runInThisContext(`${secret}(`),
  'a header name': () => validateHeaderName(secret),
  'an event': () => new EventEmitter().emit('error', secret),
  'assert.deepStrictEqual': () => assert.deepStrictEqual({ a: secret }, {}),
  'assert.strictEqual': () => assert.strictEqual(secret, 'bob'),
  'assert.match': () => assert.match(secret, /bob/),
  'assert.ifError': () => assert.ifError(secret),
  'an assertion with a message': () => assert.strictEqual(secret, 'bob', 'not Bob'),
  'a schema of rows': () => z.record(z.string(), z.number()).parse({ [secret]: 'text' }),
}

/** What V8 throws in the frame of a callback, with the value in its message. */
const operators: Readonly<Record<string, (value: never) => unknown>> = {
  'a destructured parameter': (value) => (([first]: readonly unknown[]) => first)(value),
  'yield*': (value) => [
    ...(function* list() {
      yield* value as Iterable<unknown>
    })(),
  ],
  'an element of a BigInt64Array': (value) => (new BigInt64Array(1)[0] = value),
  'class extends': (value) => class extends (value as ObjectConstructor) {},
  'class extends, by its prototype': (value) => {
    const base = function base(): void {}
    base.prototype = value
    return class extends (base as unknown as ObjectConstructor) {}
  },
  instanceof: (value) => {
    const kind = function kind(): void {}
    kind.prototype = value
    return Object.create(null) instanceof (kind as unknown as ObjectConstructor)
  },
  'the result of an iterator': (value) => [
    ...{ [Symbol.iterator]: () => ({ next: () => value as IteratorResult<unknown> }) },
  ],
  'the method of an iterator': (value) => {
    const list = { [Symbol.iterator]: () => ({ next: value as () => IteratorResult<unknown> }) }
    let last: unknown
    for (const each of list) last = each
    return last
  },
  'a conversion': (value) => Number({ [Symbol.toPrimitive]: value }),
  'a property of a primitive': (value) => ((value as { total: number }).total = 1),
  'a property of nothing': (value) => (undefined as never)[value],
  'a property that is set on nothing': (value) => ((undefined as unknown as Row)[value] = 1),
  'a getter': (value) => {
    const row: Row = Object.defineProperty({}, value, { get: () => 1 })
    row[value] = 2
  },
  'a property of a frozen object': (value) => ((Object.freeze({}) as Row)[value] = 2),
  'a deleted property': (value) => delete (Object.freeze({ [value as string]: 1 }) as Partial<Row>)[value],
  'a proxy': (value) => (new Proxy<Row>({}, { set: () => false })[value] = 1),
  'the target of a proxy': (value) =>
    new Proxy(Object.freeze({ total: value }), { get: () => 1 as never }).total,
  'Reflect.construct': (value) => Reflect.construct(value, []),
  'Reflect.apply': (value) => Reflect.apply(value, undefined, []),
}

type Row = Record<string, number>

const thrownBy = (call: () => unknown): unknown => {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('it throws nothing')
}

const expectNoQuoteIn = (error: unknown, value: string): void => {
  // V8 cuts long texts.
  const quote = value.slice(0, 6)
  expect((error as Error).message + inspect(error)).toContain(quote)
  expect(messageOf(error)).not.toContain(quote)
  expect(printableStackOf(error)?.split('\n    at ')[0]).not.toContain(quote)
  const fault = new Fault({
    code: 'PROCESSING_FAILED',
    actor: 'record',
    message: messageOf(error),
    cause: error,
  })
  const { cause } = fault
  expect((cause as Error).message).not.toContain(quote)
  expect((cause as Error).stack?.split('\n    at ')[0]).not.toContain(quote)
  expect(Object.values(cause as Error)).not.toContain(quote)
  expect(fault.contents['error']).toContain((error as Error).message.slice(0, 1))
}

describe('an error that quotes its argument', () => {
  it.each(Object.entries(quoting))('%s: shows it in no message, stack or cause', (_name, call) => {
    expectNoQuoteIn(thrownBy(call), secret)
  })

  it.each(Object.entries(operators))('%s: shows neither a number nor a text', (_name, call) => {
    const values: unknown[] = [4_111_111_111_111_111, secret]
    const thrown = values.flatMap((value) => {
      try {
        call(value as never)
        return []
      } catch (error) {
        return (error as Error).message.includes(String(value)) ? [{ error, value }] : []
      }
    })
    expect(thrown).not.toEqual([])
    for (const { error, value } of thrown) expectNoQuoteIn(error, String(value))
  })

  it.each<[string, () => unknown]>([
    ['a file', () => new Promise((_, reject) => readFile(secret, reject))],
    ['a module', () => import(secret)],
    ['an address', () => fetch(secret)],
  ])('%s that is read later: shows it nowhere either', async (_name, call) => {
    const error: unknown = await Promise.resolve(call()).catch((reason: unknown) => reason)
    expectNoQuoteIn(error, secret)
  })

  it('is without it also where its message was changed', () => {
    const error = thrownBy(() => JSON.parse(`{"a":${secret}`)) as Error
    error.message = `order 7: ${error.message}`
    expectNoQuoteIn(error, secret)
    const other = thrownBy(() => BigInt(secret)) as Error
    other.message = `order 7: ${other.message}`
    expectNoQuoteIn(other, secret)
  })

  it('keeps its class, its code and its frames', () => {
    const error = thrownBy(() => Buffer.alloc(untyped)) as Error
    const shown = withoutQuotedText(error) as Error
    expect(shown).toBeInstanceOf(TypeError)
    expect(shown).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
    expect(shown.stack?.split('\n').slice(1)).toEqual(error.stack?.split('\n').slice(1))
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
    expect(messageOf(thrownBy(() => readFileSync(secret)))).toBe('ENOENT: no such file or directory, open')
    expect(messageOf(thrownBy(() => assert.strictEqual(secret, 'bob')))).toContain(
      'assert.strictEqual has thrown AssertionError ERR_ASSERTION',
    )
    expect(messageOf(thrownBy(() => assert.strictEqual(secret, 'bob', 'not Bob')))).toBe('not Bob')
    expect(messageOf(thrownBy(() => (undefined as never)[secret]))).toContain(
      'JavaScript or Node has thrown TypeError',
    )
    const enumeration = Object.assign(new Error('[]'), {
      name: 'ZodError',
      issues: [{ code: 'invalid_enum_value', message: `Expected 'a' | 'b', received '${secret}'` }],
    })
    expect(messageOf(enumeration)).toBe("the value breaks its schema: Expected 'a' | 'b'")
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
      'of a property by an index': () => (undefined as unknown as readonly number[])[0],
      'of a destructured property': () => {
        const { total } = undefined as unknown as { total: number }
        return total
      },
      'of a name that is no function': () => (secret as unknown as { total: () => number }).total(),
      'of a result that is no function': (): number => ((): (() => number) => untyped)()(),
      'of a name that is no constructor': () => new (secret as unknown as ObjectConstructor)(),
      'of a name that is not iterable': () => [...(1 as unknown as readonly number[])],
      'of a getter': () => {
        const order = {
          get total(): number {
            return 1
          },
        } as { total: number }
        order.total = 2
      },
      'that repeats V8': (): never => {
        throw new Error(`order ${secret} is not a function`)
      },
      'of an error with a cause': (): never => {
        throw new Error('no such customer', { cause: new Error('gone') })
      },
      'of a library with codes like those of Node': (): never => {
        throw Object.assign(new Error('token expired'), { code: 'ERR_JWT_EXPIRED' })
      },
      'of JSON by its position': () => JSON.parse('{"a":1 5'),
      'of bytes that are no text': () => new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.of(255)),
      'that quotes nothing': () => new Date(Number.NaN).toISOString(),
    }),
  )('%s', (_name, call) => {
    const error = thrownBy(call)
    expect(messageOf(error)).toBe((error as Error).message)
    expect(new Fault({ code: 'X', actor: 'record', message: 'x', cause: error }).cause).toBe(error)
  })
})

describe('an error that holds one that quotes', () => {
  const refused = (): Error => thrownBy(() => JSON.parse(secret)) as Error

  class OrderRefused extends Error {
    readonly #order: number
    readonly region = 'north'
    override readonly name = 'OrderRefused'

    constructor(order: number, cause: unknown) {
      super(`order ${order} refused`, { cause })
      this.#order = order
    }

    get order(): number {
      return this.#order
    }
  }

  /** All that a logger could print of it. */
  const printed = (error: unknown): string =>
    inspect(error, { depth: 30, showHidden: true }).replaceAll(/\n\s+at .*/g, '')

  it.each<[string, () => Error]>([
    ['a cause', () => new Error('bad', { cause: refused() })],
    ['the cause of a cause', () => new Error('bad', { cause: new OrderRefused(7, refused()) })],
    ['a list', () => new AggregateError([new Error('fine'), refused()], 'all bad')],
    ['the cause in a list', () => new AggregateError([new Error('bad', { cause: refused() })], 'all bad')],
    ['a field', () => Object.assign(new Error('bad'), { original: refused() })],
    [
      'a suppressed error',
      () => Object.assign(new Error('bad'), { error: refused(), suppressed: refused() }),
    ],
    ['a platform error', () => new DOMException('bad', { name: 'DataError', cause: refused() })],
    ['its own message', () => new Error(`bad: ${refused().message}`, { cause: refused() })],
  ])('shows no quote of %s', (_name, make) => {
    const error = make()
    expect(printed(error)).toContain(secret)
    const shown = withoutQuotedText(error)
    expect(printed(shown)).not.toContain(secret)
    expect(messageOf(error)).not.toContain(secret)
    const fault = new Fault({ code: 'X', actor: 'record', message: 'x', cause: error })
    expect(printed(fault)).not.toContain(secret)
    expect(contentsOf(fault)['error']).toContain('Unexpected token')
    expect(printed(error)).toContain(secret)
  })

  it('is a copy of its class, with its message, frames and fields', () => {
    const error = new OrderRefused(7, refused())
    const shown = withoutQuotedText(error) as OrderRefused
    expect(shown).toBeInstanceOf(OrderRefused)
    expect(shown).not.toBe(error)
    expect(shown.message).toBe('order 7 refused')
    expect(shown.name).toBe('OrderRefused')
    expect(shown.stack).toBe(error.stack)
    expect(shown.order).toBe(7)
    expect(Object.keys(shown)).toEqual(Object.keys(error))
    expect((shown.cause as Error).message).toBe('the text is not valid JSON')
    expect(withoutQuotedText(shown)).toBe(shown)
  })

  it('is itself where nothing that it holds quotes', () => {
    const inner = new Error('fine')
    const cyclic = new Error('bad', { cause: inner })
    inner.cause = cyclic
    expect(withoutQuotedText(cyclic)).toBe(cyclic)
    const list = new AggregateError([new Error('one'), new TypeError('no such customer')], 'two')
    expect(withoutQuotedText(list)).toBe(list)
    const half = new AggregateError([inner, refused()])
    expect((withoutQuotedText(half) as AggregateError).errors[0]).toBe(inner)
  })

  it('is whole where it holds faults alone', () => {
    const faults = Array.from(
      { length: 500 },
      (_, index) => new Fault({ code: 'X', actor: 'author', message: `${index}` }),
    )
    const list = new AggregateError(faults)
    expect(withoutQuotedText(list)).toBe(list)
  })

  it('may hold itself', () => {
    const error = new Error('bad')
    error.cause = new AggregateError([error, refused()], 'several')
    const shown = withoutQuotedText(error) as Error
    expect(((shown.cause as AggregateError).errors as readonly unknown[])[0]).toBe(shown)
    expect(printed(shown)).not.toContain(secret)
  })

  it('is cut after a hundred', () => {
    let chain = refused()
    for (let index = 0; index < 5_000; index++) chain = new Error(`${index}`, { cause: chain })
    const shown = printed(withoutQuotedText(chain))
    expect(shown).not.toContain(secret)
    const many = new AggregateError(
      Array.from({ length: 5_000 }, () => refused()),
      'many',
    )
    const shorter = withoutQuotedText(many) as AggregateError
    expect(shorter.errors.length).toBeLessThanOrEqual(100)
    expect(printed(shorter)).not.toContain(secret)
  })

  it('may be made of anything', () => {
    const strange = Object.assign(new Error('bad', { cause: refused() }), { name: 5, message: { a: 1 } })
    expect(messageOf(strange)).toBe('[object Object]')
    expect(printableStackOf(strange)).toContain('5: ')
    class Failing extends Error {
      get order(): number {
        throw new Error('no order')
      }
    }
    expect(withoutQuotedText(new Failing('bad', { cause: refused() }))).toMatchObject({ message: 'bad' })
    expect(messageOf(Object.freeze(new Error('bad', { cause: refused() })))).toBe('bad')
  })
})
