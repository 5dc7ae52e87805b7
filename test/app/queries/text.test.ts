import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { endpointText, parseEndpoint } from '../../../src/app/queries/endpoint.ts'
import { jsonValueOf } from '../../../src/app/queries/json-value.ts'
import { parseKey, parsePrefix } from '../../../src/app/queries/key-text.ts'
import {
  bigLong,
  bytes,
  double,
  integer,
  json,
  long,
  nullable,
  string,
  timeWindowed,
  windowed,
} from '../../../src/index.ts'
import type { AnySerde } from '../../../src/topic/serde.ts'

it.each([
  ['orders-1:8080', { host: 'orders-1', port: 8080 }],
  ['[::1]:0', { host: '::1', port: 0 }],
])('the endpoint %s is a host and a port', (text, endpoint) => {
  expect(parseEndpoint(text)).toEqual(endpoint)
  expect(endpointText(endpoint)).toBe(text)
})

describe('a value as JSON', () => {
  it('keeps what JSON has no words for', () => {
    expect(
      jsonValueOf({
        big: 2n ** 63n,
        at: new Date(0),
        raw: Buffer.from([255, 0]),
        map: new Map([['a', 1n]]),
        set: new Set([1, 2]),
        none: undefined,
        numbers: [1, Number.NaN, -Infinity],
        inside: { deep: [{ at: new Date(1) }] },
      }),
    ).toEqual({
      big: '9223372036854775808',
      at: '1970-01-01T00:00:00.000Z',
      raw: '/wA=',
      map: [['a', '1']],
      set: [1, 2],
      numbers: [1, 'NaN', '-Infinity'],
      inside: { deep: [{ at: '1970-01-01T00:00:00.001Z' }] },
    })
  })

  it('leaves JSON as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(JSON.stringify(jsonValueOf(value)))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

describe('a key as text', () => {
  const Id = z.object({ region: z.string(), number: z.number() })
  const Day = z.codec(z.iso.date(), z.date(), {
    decode: (text) => new Date(text),
    encode: (date) => date.toISOString().slice(0, 10),
  })

  it.each<readonly [string, AnySerde, string, unknown]>([
    ['text', string, '12 ä/?', '12 ä/?'],
    ['the empty text', string, '', ''],
    ['text that may be null', nullable(string), 'a', 'a'],
    ['a number', long, '-12', -12],
    ['a small number', integer, '12', 12],
    ['a fraction', double, '1.5', 1.5],
    ['a large number', bigLong, '9223372036854775807', 9223372036854775807n],
    ['bytes', bytes, '/wA=', new Uint8Array([255, 0])],
    ['bytes as a URL has them', bytes, '_wA', new Uint8Array([255, 0])],
    ['an object', json(Id), '{"region":"eu","number":1}', { region: 'eu', number: 1 }],
    ['JSON text without quotes', json(z.string()), 'ada', 'ada'],
    ['JSON text that looks like a number', json(z.string()), '12', '12'],
    ['JSON text in quotes', json(z.string()), '"12"', '12'],
    ['what is a date here and text on the wire', json(Day), '"2026-01-02"', new Date('2026-01-02')],
    [
      'a windowed key',
      timeWindowed(string, 10),
      '{"key":"ada","startMs":0,"endMs":10}',
      windowed('ada', 0, 10),
    ],
    ['a windowed number', timeWindowed(long, 10), '{"key":7,"startMs":0,"endMs":10}', windowed(7, 0, 10)],
  ])('%s', (_what, serde, text, key) => {
    expect(parseKey(serde, text)).toEqual(key)
  })

  it.each<readonly [string, AnySerde, string]>([
    ['no number', long, 'twelve'],
    ['nothing', long, ''],
    ['a fraction', integer, '1.5'],
    ['too large', integer, '2147483648'],
    ['no base64', bytes, 'ü'],
    ['another object', json(Id), '{"region":"eu"}'],
    ['a window without times', timeWindowed(string, 10), 'ada'],
  ])('%s is refused', (_what, serde, text) => {
    expect(() => parseKey(serde, text)).toThrow(expect.objectContaining({ code: 'QUERY_INVALID' }))
  })

  it('a prefix is one of text or of bytes', () => {
    expect(parsePrefix(string, 'aä')).toEqual(Buffer.from('aä'))
    expect(parsePrefix(bytes, '/w==')).toEqual(new Uint8Array([255]))
    expect(() => parsePrefix(long, '1')).toThrow('keys of type long have no prefixes')
  })
})
