import { TestScheduler } from 'rxjs/testing'
import type { OperatorFunction } from 'rxjs'
import { map } from 'rxjs'
import { describe, expect, it } from 'vitest'
import {
  filterByHeader,
  pairwiseByKey,
  sampleByKey,
  scanByKey,
  StreamRecord,
  withHeader,
} from '../../src/index.ts'

type Text = StreamRecord<string, string>

const of = (key: string, value: string, timestamp = 0): Text => StreamRecord.of(key, value, timestamp)

/** Compares keys and values; a record is written `key:value`. */
const expectMarbles = <V>(
  operator: OperatorFunction<Text, StreamRecord<string, V>>,
  input: string,
  records: Readonly<Record<string, Text>>,
  output: string,
  expected: Readonly<Record<string, unknown>> = {},
): void => {
  const scheduler = new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted))
  scheduler.run(({ cold, expectObservable }) => {
    const emitted = cold(input, records).pipe(
      operator,
      map(({ key, value }) => `${key}:${String(value)}`),
    )
    expectObservable(emitted).toBe(output, { ...expected })
  })
}

describe('filterByHeader', () => {
  const a = of('k', 'a').withHeaders(withHeader([], 'tenant', 'ada'))
  const b = of('k', 'b').withHeaders(withHeader([], 'tenant', 'bob'))
  const c = of('k', 'c')

  it('keeps the records whose header has a text', () => {
    expectMarbles(filterByHeader('tenant', 'ada'), 'abca|', { a, b, c }, 'a--a|', { a: 'k:a' })
  })

  it('asks a function, also where the header is missing', () => {
    const other = filterByHeader<string, string>('tenant', (text) => text !== 'ada')
    expectMarbles(other, 'abc|', { a, b, c }, '-bc|', { b: 'k:b', c: 'k:c' })
  })

  it('refuses what is neither', () => {
    expect(() => filterByHeader('tenant', 7 as never)).toThrow('filterByHeader needs a text or a function')
  })
})

describe('scanByKey', () => {
  it('accumulates each key on its own, again for each subscriber', () => {
    const joined = scanByKey<string, string, string>(
      (all, value) => all + value,
      () => '',
    )
    const records = { a: of('x', 'a'), b: of('y', 'b'), c: of('x', 'c') }
    for (let subscriber = 0; subscriber < 2; subscriber++)
      expectMarbles(joined, 'a-b-c|', records, 'a-b-c|', { a: 'x:a', b: 'y:b', c: 'x:ac' })
  })

  it('hands on the error of its function', () => {
    const failing = scanByKey<string, string, string>(
      () => {
        throw new Error('no sum')
      },
      () => '',
    )
    const scheduler = new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted))
    scheduler.run(({ cold, expectObservable }) =>
      expectObservable(cold('-a', { a: of('x', 'a') }).pipe(failing)).toBe('-#', {}, new Error('no sum')),
    )
  })
})

describe('pairwiseByKey', () => {
  it('pairs each value with the one before it of its key', () => {
    const records = { a: of('x', 'a'), b: of('y', 'b'), c: of('x', 'c'), d: of('x', 'd') }
    expectMarbles(pairwiseByKey(), 'abcd|', records, '--cd|', { c: 'x:a,c', d: 'x:c,d' })
  })

  it('takes keys of the same content for one', () => {
    const seen: unknown[] = []
    const key = (): { id: number } => ({ id: 1 })
    const scheduler = new TestScheduler(() => {})
    scheduler.run(({ cold }) => {
      cold('ab|', { a: StreamRecord.of(key(), 1, 0), b: StreamRecord.of(key(), 2, 0) })
        .pipe(pairwiseByKey())
        .subscribe(({ value }) => seen.push(value))
    })
    expect(seen).toEqual([[1, 2]])
  })
})

describe('sampleByKey', () => {
  it('keeps one record of a key in a period of their times', () => {
    const records = {
      a: of('x', 'a', 0),
      b: of('x', 'b', 9),
      c: of('y', 'c', 9),
      d: of('x', 'd', 10),
      e: of('x', 'e', 5),
      f: of('x', 'f', 20),
    }
    expectMarbles(sampleByKey(10), 'abcdef|', records, 'a-cd-f|', { a: 'x:a', c: 'y:c', d: 'x:d', f: 'x:f' })
  })

  it('refuses a period that is no duration', () => {
    expect(() => sampleByKey(Number.NaN)).toThrow('sampleByKey')
  })
})
