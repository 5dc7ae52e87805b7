import { bufferCount, concatMap, delay, filter, map, of, scan, tap } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })
const output = topic('output', { value: string })

describe('pipe', () => {
  it('takes any synchronous RxJS operators over records', () => {
    const seen: string[] = []
    const driver = testDriver(
      topology('operators', (builder) => {
        builder
          .stream(words)
          .pipe(
            filter(({ value }) => value.length > 2),
            map((record) => record.withValue(record.value.toUpperCase())),
            tap(({ value }) => seen.push(value)),
          )
          .to(output)
      }),
    )
    for (const word of ['a', 'mill', 'race']) driver.input(words).pipe('k', word, { timestamp: 5 })
    expect(driver.output(output).readAll()).toMatchObject([
      { key: 'k', value: 'MILL', timestamp: 5 },
      { key: 'k', value: 'RACE', timestamp: 5 },
    ])
    expect(seen).toEqual(['MILL', 'RACE'])
  })

  it('lets operators emit plain objects, with the time and headers of their cause', () => {
    const driver = testDriver(
      topology('plain', (builder) => {
        builder
          .stream(words)
          .pipe(
            concatMap(({ key, value }) =>
              of({ key, value: `${value}1` }, { key, value: `${value}2`, timestamp: 9 }),
            ),
          )
          .to(output)
      }),
    )
    const headers = [['trace', Uint8Array.of(1)]] as const
    driver.input(words).pipe('k', 'x', { timestamp: 3, headers })
    expect(driver.output(output).readAll()).toMatchObject([
      { value: 'x1', timestamp: 3, headers },
      { value: 'x2', timestamp: 9, headers },
    ])
  })

  it('keeps what an operator remembers from record to record', () => {
    const driver = testDriver(
      topology('memory', (builder) => {
        builder
          .stream(words)
          .pipe(
            bufferCount(2),
            map((pair) => ({ key: 'pair', value: pair.map(({ value }) => value).join('+') })),
          )
          .to(output)
      }),
    )
    for (const word of ['a', 'b', 'c']) driver.input(words).pipe('k', word)
    expect(driver.output(output).readKeyValues()).toEqual([{ key: 'pair', value: 'a+b' }])
  })

  it('is built anew after a throw, so one bad record does not stop the rest', () => {
    const failures: string[] = []
    const driver = testDriver(
      topology('throws', (builder) => {
        builder
          .stream(words)
          .pipe(
            scan((longest, record) => (record.value.length > longest.value.length ? record : longest)),
            map((record) => {
              if (record.value === 'bad') throw new Error('no')
              return record
            }),
          )
          .to(output)
      }),
      { onFailure: ({ fault }) => (failures.push(fault.message), 'continue') },
    )
    for (const word of ['a', 'bad', 'ok']) driver.input(words).pipe('k', word)
    expect(failures).toEqual([expect.stringContaining('no')])
    expect(
      driver
        .output(output)
        .readKeyValues()
        .map(({ value }) => value),
    ).toEqual(['a', 'ok'])
  })

  describe('with a timer inside', () => {
    beforeEach(() => vi.useFakeTimers())
    afterEach(() => vi.useRealTimers())

    it('refuses what is emitted outside the turn of a record', () => {
      const driver = testDriver(
        topology('late', (builder) => {
          builder.stream(words).pipe(delay(10)).to(output)
        }),
      )
      driver.input(words).pipe('k', 'a')
      expect(() => vi.advanceTimersByTime(20)).toThrow(/use mapAsync/)
      expect(driver.output(output).readAll()).toEqual([])
    })
  })
})
