import { bufferCount, concatMap, distinctUntilChanged, filter, map, scan, tap } from 'rxjs'
import type { OperatorFunction } from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { StreamRecord, Topology } from '../../src/index.ts'
import { double, headerText, string, topic, topology, withHeader } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })
const output = topic('output', { value: string })
const lengths = topic('lengths', { value: double })

/** The internal topics that a topology repartitions over. */
const repartitions = ({ nodes }: Topology): readonly string[] =>
  nodes.filter(({ kind }) => kind === 'repartition').map(({ name }) => name)

describe('pipeValues', () => {
  it('hands values to RxJS operators, and what they emit on under the key, with the time and headers', () => {
    const driver = testDriver(
      topology('values', (builder) => {
        builder
          .stream(words)
          .pipeValues(
            filter((word) => word.length > 1),
            map((word) => word.length),
          )
          .to(lengths)
      }),
    )
    const headers = withHeader([], 'trace', '7')
    for (const word of ['a', 'four']) driver.input(words).pipe('k', word, { timestamp: 5, headers })
    const [emitted, ...more] = driver.output(lengths).readAll()
    expect(emitted).toMatchObject({ key: 'k', value: 4, timestamp: 5 })
    expect(headerText(emitted?.headers ?? [], 'trace')).toBe('7')
    expect(more).toEqual([])
  })

  it('emits any number of values for one, each under the key of the record at hand', () => {
    const driver = testDriver(
      topology('several', (builder) => {
        builder
          .stream(words)
          .pipeValues(
            scan((all, word) => `${all}${word}`, ''),
            concatMap((value) => [value, value]),
          )
          .to(output)
      }),
    )
    driver.input(words).pipe('a', 'x')
    driver.input(words).pipe('b', 'y')
    expect(driver.output(output).readKeyValues()).toEqual([
      { key: 'a', value: 'x' },
      { key: 'a', value: 'x' },
      { key: 'b', value: 'xy' },
      { key: 'b', value: 'xy' },
    ])
  })

  it('takes nine operators, whose types follow from each other', () => {
    const more = map((text: string) => `${text}+`)
    const driver = testDriver(
      topology('nine', (builder) => {
        builder
          .stream(words)
          .pipeValues(
            more,
            more,
            more,
            more,
            more,
            more,
            more,
            map((text) => text.length),
            map((length) => length * 2),
          )
          .to(lengths)
      }),
    )
    driver.input(words).pipe('k', 'a')
    expect(driver.output(lengths).readKeyValues()).toEqual([{ key: 'k', value: 16 }])
  })

  it('repartitions nothing, and keeps the serdes for what does', () => {
    const counted = topology('counted', (builder) => {
      builder.stream(words).pipeValues(distinctUntilChanged()).groupByKey().count({ store: 'counts' })
    })
    expect(repartitions(counted)).toEqual([])
    const rekeyed = topology('rekeyed', (builder) => {
      builder
        .stream(words)
        .selectKey(({ value }) => value, { key: string })
        .pipeValues(distinctUntilChanged())
        .groupByKey()
        .reduce((left, right) => left + right, { store: 'joined' })
    })
    const driver = testDriver(rekeyed)
    for (const word of ['x', 'x', 'y']) driver.input(words).pipe('k', word)
    expect(
      [...driver.tableStore<string, string>('joined').all()].map(([key, { value }]) => [key, value]),
    ).toEqual([
      ['x', 'x'],
      ['y', 'y'],
    ])
  })

  it('hands a deletion on as null, and fails a record for which a value is missing or promised', () => {
    const emitting = (emission: unknown): Topology =>
      topology('emitting', (builder) => {
        builder
          .stream(words)
          .pipeValues(map(() => emission) as OperatorFunction<string, string>)
          .to(output)
      })
    const driver = testDriver(emitting(null))
    driver.input(words).pipe('k', 'x')
    expect(driver.output(output).readKeyValues()).toEqual([{ key: 'k', value: null }])
    for (const [emission, code] of [
      [undefined, 'UNDEFINED_RETURNED'],
      [Promise.resolve('x'), 'PROMISE_RETURNED'],
    ] as const)
      expect(() => testDriver(emitting(emission)).input(words).pipe('k', 'x')).toThrow(
        expect.objectContaining({ code }) as Error,
      )
  })

  it('fails the record whose value cannot be read', () => {
    const seen: string[] = []
    const driver = testDriver(
      topology('unreadable', (builder) => {
        builder
          .stream(lengths)
          .pipeValues(tap((value) => seen.push(String(value))))
          .to(topic('out', { value: double }))
      }),
      { policies: { deserializationFailure: 'skip' } },
    )
    driver.input(lengths).pipeBytes(Buffer.from('k'), Buffer.from('no number'))
    driver.input(lengths).pipe('k', 2)
    expect(seen).toEqual(['2'])
  })
})

describe('the options of pipe', () => {
  const longWords = filter(({ value }: StreamRecord<string, string>) => value.length > 1)

  it('name the step, and give what follows its serdes', () => {
    const named = topology('named', (builder) => {
      builder
        .stream(words)
        .pipe(
          map((record) => record.withKeyValue(record.value, record.value.length)),
          { name: 'measure', key: string, value: double },
        )
        .groupByKey()
        .count({ store: 'counts' })
        .toStream()
        .mapValues(Number)
        .to(lengths)
    })
    expect(named.nodes.map(({ name }) => name)).toContain('measure')
    const driver = testDriver(named)
    for (const key of ['a', 'b']) driver.input(words).pipe(key, 'same')
    expect(driver.output(lengths).readKeyValues().at(-1)).toEqual({ key: 'same', value: 2 })
  })

  it('repartition what follows no more than filter does, where operators are said to preserve the key', () => {
    const countedBehind = (preservesKey: boolean): Topology =>
      topology('counted', (builder) => {
        builder
          .stream(words)
          .pipe(longWords, { preservesKey, key: string, value: string })
          .groupByKey()
          .count({ store: 'counts' })
      })
    expect(repartitions(countedBehind(true))).toEqual([])
    expect(repartitions(countedBehind(false))).toHaveLength(1)
  })

  it('fail a record for which operators emit another key although they were said to preserve it', () => {
    const driver = testDriver(
      topology('changed', (builder) => {
        builder
          .stream(words)
          .pipe(
            map((record) => (record.value === 'other' ? record.withKey('b') : record)),
            { preservesKey: true },
          )
          .to(output)
      }),
      { policies: { processingFailure: 'skip' } },
    )
    for (const word of ['same', 'other', 'last']) driver.input(words).pipe('a', word)
    expect(
      driver
        .output(output)
        .readKeyValues()
        .map(({ value }) => value),
    ).toEqual(['same', 'last'])
    expect(driver.dropped()).toEqual({ failed: 1 })
  })

  it('take a record that operators made of the one at hand, and refuse an earlier one under its own key', () => {
    const behind = (operator: OperatorFunction<StreamRecord<string, string>, StreamRecord<string, string>>) =>
      testDriver(
        topology('made', (builder) => {
          builder.stream(words).pipe(operator, { preservesKey: true }).to(output)
        }),
      )
    const made = behind(map((record) => record.withValue('new').withTimestamp(9)))
    made.input(words).pipe('a', 'old')
    expect(made.output(output).readAll()).toMatchObject([{ key: 'a', value: 'new', timestamp: 9 }])
    const earlier = behind((records) =>
      records.pipe(
        bufferCount(2),
        concatMap((both) => both),
      ),
    )
    earlier.input(words).pipe('a', 'x')
    expect(() => earlier.input(words).pipe('b', 'y')).toThrow(
      expect.objectContaining({ code: 'KEY_CHANGED' }) as Error,
    )
  })

  it('are refused where they are unknown', () => {
    const build = (): Topology =>
      topology('unknown', (builder) => {
        builder.stream(words).pipe(longWords, { keepsKey: true } as never)
      })
    expect(build).toThrow("pipe has no option 'keepsKey'")
  })
})
