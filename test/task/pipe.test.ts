import {
  asapScheduler,
  asyncScheduler,
  auditTime,
  bufferCount,
  bufferTime,
  catchError,
  concat,
  concatMap,
  debounceTime,
  delay,
  distinctUntilChanged,
  EMPTY,
  filter,
  finalize,
  first,
  from,
  groupBy,
  map,
  mergeMap,
  mergeWith,
  NEVER,
  Observable,
  observeOn,
  of,
  repeat,
  retry,
  scan,
  share,
  startWith,
  Subject,
  subscribeOn,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  tap,
  throwError,
  timeout,
  timer,
} from 'rxjs'
import type { OperatorFunction } from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { Topology } from '../../src/index.ts'
import { string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import { LoneTask } from '../support/lone-task.ts'

const words = topic('words', { value: string })
const output = topic('output', { value: string })

/** A topology of one piped operator, of whatever type. */
const piped = (name: string, operator: OperatorFunction<never, unknown>): Topology =>
  topology(name, (builder) => {
    builder
      .stream(words)
      .pipe(operator as unknown as OperatorFunction<unknown, { key: string; value: string }>)
      .to(output)
  })

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

  it('is built again after a throw, so one bad record does not stop the rest', () => {
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

  describe('that works asynchronously', () => {
    const program = (operator: OperatorFunction<never, unknown>): Topology => piped('late', operator)
    const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

    const waiting: readonly (readonly [string, OperatorFunction<never, unknown>])[] = [
      ['delay', delay(5)],
      ['debounceTime', debounceTime(5)],
      ['auditTime', auditTime(5)],
      ['bufferTime', bufferTime(5)],
      [
        'a timer after a first emission',
        mergeMap((record) => concat(of(record), timer(5).pipe(map(() => record)))),
      ],
      ['observeOn', observeOn(asyncScheduler)],
      ['observeOn asap', observeOn(asapScheduler)],
      ['concatMap of a timer', concatMap((record) => timer(5).pipe(map(() => record)))],
      ['switchMap of a timer', switchMap((record) => timer(5).pipe(map(() => record)))],
      ['mergeMap of an async function', mergeMap(async (record) => Promise.resolve(record))],
      ['from a promise', mergeMap((record) => from(Promise.resolve(record)))],
      ['a rejected promise', mergeMap(() => Promise.reject(new Error('late')))],
      [
        'an error after a timer',
        mergeMap(() => timer(5).pipe(mergeMap(() => throwError(() => new Error('late'))))),
      ],
      [
        'a source of its own',
        mergeMap(
          (record) =>
            new Observable((subscriber) => {
              const handle = setTimeout(() => subscriber.next(record), 5)
              return () => clearTimeout(handle)
            }),
        ),
      ],
    ]

    it.each(waiting)('fails before the commit of a record that waits in it: %s', (_what, operator) => {
      const lone = new LoneTask(program(operator))
      lone.push(words, 'k', 'a')
      lone.task.process(1)
      expect(() => lone.task.prepareCommit()).toThrow(
        expect.objectContaining({
          code: 'EMISSION_OUTSIDE_TURN',
          remedy: expect.stringContaining('use mapAsync'),
          place: expect.objectContaining({ node: 'pipe-0001', topic: 'words', partition: 0, offset: 0 }),
        }),
      )
      lone.task.close()
      expect(lone.values().length).toBe(_what.includes('first emission') ? 1 : 0)
    })

    it.each(waiting)(
      'fails the next step of its task where it emits or fails before the commit: %s',
      async (_what, operator) => {
        const lone = new LoneTask(program(operator))
        lone.push(words, 'k', 'a')
        lone.task.process(1)
        await sleep(15)
        expect(lone.workReadyCalls).toBe(1)
        expect(lone.task.isReady).toBe(true)
        expect(() => lone.task.process(1)).toThrow(expect.objectContaining({ code: 'EMISSION_OUTSIDE_TURN' }))
        expect(lone.values().length).toBe(_what.includes('first emission') ? 1 : 0)
        lone.task.close()
      },
    )

    it.each(waiting)(
      'ends quietly with a task that is closed while it waits: %s',
      async (_what, operator) => {
        const lone = new LoneTask(program(operator))
        lone.push(words, 'k', 'a')
        lone.task.process(1)
        lone.task.close()
        await sleep(15)
        expect(lone.workReadyCalls).toBe(0)
      },
    )

    it('is refused by the test driver at the record', () => {
      using driver = testDriver(program(delay(5)))
      expect(() => driver.input(words).pipe('k', 'a')).toThrow(/use mapAsync/)
    })

    it('is refused where it emits before any record', () => {
      using driver = testDriver(program(startWith({ key: 'k', value: 'start' })))
      expect(() => driver.input(words).pipe('k', 'a')).toThrow(/while no record was being processed/)
    })

    it('fails by a timeout without records', async () => {
      const lone = new LoneTask(program(timeout(5)))
      lone.push(words, 'k', 'a')
      lone.task.process(1)
      await sleep(15)
      expect(() => lone.task.process(1)).toThrow(/Timeout has occurred/)
    })

    it.each([
      ['scan', scan((_, record) => record)],
      ['filter', filter(() => false)],
      ['bufferCount', bufferCount(3)],
      ['distinctUntilChanged', distinctUntilChanged()],
      [
        'groupBy',
        (source: Observable<{ key: string; value: string }>) =>
          source.pipe(
            groupBy(({ value }) => value),
            mergeMap((group) =>
              group.pipe(
                bufferCount(3),
                map(([one]) => one),
              ),
            ),
          ),
      ],
      ['takeUntil(NEVER)', takeUntil(NEVER)],
      ['switchMap to nothing', switchMap(() => EMPTY)],
      [
        'share',
        (source: Observable<unknown>) =>
          source.pipe(
            share(),
            filter(() => false),
          ),
      ],
      [
        'repeat',
        (source: Observable<unknown>) =>
          source.pipe(
            take(1),
            repeat(),
            map((record) => record),
          ),
      ],
    ] as readonly (readonly [string, OperatorFunction<never, unknown>])[])(
      'is not confused with what merely brings no emission: %s',
      (_what, operator) => {
        const lone = new LoneTask(program(operator))
        for (const word of ['a', 'b']) lone.pipe(words, 'k', word)
        expect(lone.task.isReady).toBe(false)
        lone.task.close()
      },
    )
  })

  describe('that completes', () => {
    const completing: readonly (readonly [string, OperatorFunction<never, unknown>, number])[] = [
      ['take', take(2), 4],
      ['first', first(), 4],
      ['takeWhile', takeWhile(({ value }: { value: string }) => value !== '2'), 3],
      [
        'catchError',
        (source: Observable<{ value: string }>) =>
          source.pipe(
            tap(({ value }) => {
              if (value === '2') throw new Error('two')
            }),
            catchError(() => EMPTY),
          ),
        3,
      ],
    ] as never
    const program = (operator: OperatorFunction<never, unknown>): Topology => piped('completing', operator)

    it.each(completing)('fails the record at hand: %s', (_what, operator) => {
      using driver = testDriver(program(operator))
      expect(() => {
        for (const word of ['1', '2']) driver.input(words).pipe('k', word)
      }).toThrow(expect.objectContaining({ code: 'PIPELINE_COMPLETED', actor: 'record' }))
    })

    it.each(completing)(
      'is built again where the policy skips, and counted: %s',
      (_what, operator, emitted) => {
        using driver = testDriver(program(operator), { policies: { processingFailure: 'skip' } })
        for (const word of ['1', '2', '3', '4']) driver.input(words).pipe('k', word)
        expect(driver.output(output).readAll()).toHaveLength(emitted)
        expect(driver.dropped().pipelineCompleted).toBeGreaterThan(0)
      },
    )

    it('at once, whatever comes, fails the application and not the process', () => {
      using driver = testDriver(program(() => EMPTY))
      expect(() => driver.input(words).pipe('k', 'a')).toThrow(/completed/)
    })
  })

  it('fails a record that retry drops with its error', () => {
    const bad = (value: string): void => {
      if (value === 'bad') throw new Error('no')
    }
    using driver = testDriver(
      topology('retrying', (builder) => {
        builder
          .stream(words)
          .pipe(
            tap(({ value }) => bad(value)),
            retry(),
          )
          .to(output)
      }),
      { policies: { processingFailure: 'skip' } },
    )
    for (const word of ['a', 'bad', 'b']) driver.input(words).pipe('k', word)
    expect(
      driver
        .output(output)
        .readAll()
        .map(({ value }) => value),
    ).toEqual(['a', 'b'])
    expect(driver.dropped()).toEqual({ failed: 1 })
  })

  it.each([undefined, null, 'text', 7, [], {}, { key: 'k' }, { value: 'v' }, { key: 'k', value: undefined }])(
    'fails the record at which it emits %j, which is no record',
    (emission) => {
      using driver = testDriver(
        topology('emitting', (builder) => {
          builder
            .stream(words)
            .pipe(map(() => emission as { key: string; value: string }))
            .to(output)
        }),
      )
      expect(() => driver.input(words).pipe('k', 'a')).toThrow(/no record|returned a promise/)
      expect(driver.output(output).readAll()).toEqual([])
    },
  )

  describe('written by hand', () => {
    type Source = Observable<{ readonly key: string; readonly value: string }>
    const throwing = (value: string): void => {
      if (value === 'bad') throw new Error('no')
    }
    const consumers: readonly (readonly [string, (source: Source) => Observable<unknown>])[] = [
      [
        'a callback throws',
        (source) =>
          new Observable((subscriber) =>
            source.subscribe((record) => {
              throwing(record.value)
              subscriber.next(record)
            }),
          ),
      ],
      [
        'an observer throws, behind other operators',
        (source) => {
          const before = source.pipe(map((record) => record))
          return new Observable((subscriber) =>
            before.subscribe({
              next: (record) => {
                throwing(record.value)
                subscriber.next(record)
              },
            }),
          )
        },
      ],
      [
        'nobody takes the error of its source',
        (source) => {
          const before = source.pipe(tap(({ value }) => throwing(value)))
          return new Observable((subscriber) => before.subscribe((record) => subscriber.next(record)))
        },
      ],
      [
        'the callback for errors throws',
        (source) => {
          const before = source.pipe(tap(({ value }) => throwing(value)))
          return new Observable((subscriber) =>
            before.subscribe({
              next: (record) => subscriber.next(record),
              error: (error: unknown) => {
                subscriber.error(error)
                throw error
              },
            }),
          )
        },
      ],
    ]

    it.each(consumers)('fails the record and not the process where %s', (_what, operator) => {
      using driver = testDriver(piped('by-hand', operator), {
        policies: { processingFailure: 'skip' },
      })
      for (const word of ['a', 'bad', 'b']) driver.input(words).pipe('k', word)
      expect(driver.output(output).readKeyValues()).toEqual([
        { key: 'k', value: 'a' },
        { key: 'k', value: 'b' },
      ])
      expect(driver.dropped()).toEqual({ failed: 1 })
    })

    it('fails the next step of its task where a callback throws later', () => {
      const subject = new Subject<unknown>()
      const lone = new LoneTask(
        piped('by-hand-later', (source: Source) => {
          return new Observable((subscriber) =>
            source.pipe(mergeWith(subject)).subscribe((record) => {
              if (record === 'later') throw new Error('no')
              subscriber.next(record)
            }),
          )
        }),
      )
      lone.push(words, 'k', 'a')
      lone.task.process(1)
      subject.next('later')
      expect(() => lone.task.process(1)).toThrow(/while no record was being processed: no/)
    })
  })

  it('is refused before the first record where it does not listen', () => {
    const lone = new LoneTask(piped('deaf', subscribeOn(asyncScheduler)))
    expect(() => lone.task.process(1)).toThrow(/does not listen to the stream/)
  })

  it('closes its task where finalize throws', () => {
    const lone = new LoneTask(
      topology('finalizing', (builder) => {
        builder
          .stream(words)
          .pipe(
            finalize(() => {
              throw new Error('at the end')
            }),
          )
          .to(output)
      }),
    )
    lone.pipe(words, 'k', 'a')
    expect(() => lone.task.close()).toThrow(/at the end/)
  })
})
