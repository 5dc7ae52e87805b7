import { describe, expect, it } from 'vitest'
import type { AsyncOptions } from '../../src/index.ts'
import { string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })
const answers = topic('answers', { value: string })

/** A service whose answers come when the test says so. */
class Service {
  readonly calls: { readonly word: string; readonly signal: AbortSignal; answer(): void; refuse(): void }[] =
    []

  readonly call = (word: string, _record: unknown, signal: AbortSignal): Promise<string> =>
    new Promise((resolve, reject) => {
      this.calls.push({
        word,
        signal,
        answer: () => resolve(word.toUpperCase()),
        refuse: () => reject(new Error(`no ${word}`)),
      })
    })

  get asked(): readonly string[] {
    return this.calls.map(({ word }) => word)
  }

  /** Lets promises run on until that many calls have been made. */
  async isAsked(count: number): Promise<void> {
    for (let round = 0; round < 20 && this.calls.length < count; round++) await Promise.resolve()
    if (this.calls.length !== count) throw new Error(`asked ${this.calls.length} times, not ${count}`)
  }

  answer(word: string): void {
    this.calls.find((call) => call.word === word)?.answer()
  }
}

const setUp = (options: AsyncOptions = {}, onFailure?: 'continue') => {
  const service = new Service()
  const driver = testDriver(
    topology('async', (builder) => {
      builder
        .stream(words)
        .mapValuesAsync(service.call, { ...options, name: 'ask', value: string })
        .to(answers)
    }),
    onFailure === undefined ? {} : { onFailure: () => onFailure },
  )
  const heard = () =>
    driver
      .output(answers)
      .readAll()
      .map(({ value }) => value)
  return { service, driver, heard, input: driver.input(words) }
}

describe('asynchronous work', () => {
  it('lets results go on when they are there, with key, time and headers of their records', async () => {
    const { service, driver, input } = setUp()
    input.pipe('a', 'x', { timestamp: 5, headers: [['h', null]] })
    expect(driver.output(answers).readAll()).toEqual([])
    service.answer('x')
    await driver.settled()
    expect(driver.output(answers).readAll()).toMatchObject([
      { key: 'a', value: 'X', timestamp: 5, headers: [['h', null]] },
    ])
  })

  it('runs the work of one key one after another, and of several keys side by side', async () => {
    const { service, driver, heard, input } = setUp()
    input.pipe('a', 'a1')
    input.pipe('a', 'a2')
    input.pipe('b', 'b1')
    expect(service.asked).toEqual(['a1', 'b1'])
    service.answer('b1')
    service.answer('a1')
    await service.isAsked(3)
    service.answer('a2')
    await driver.settled()
    expect(service.asked).toEqual(['a1', 'b1', 'a2'])
    expect(heard()).toEqual(['B1', 'A1', 'A2'])
  })

  it('ordered by partition runs all side by side and keeps the order of the records', async () => {
    const { service, driver, heard, input } = setUp({ orderedBy: 'partition' })
    for (const word of ['1', '2', '3']) input.pipe('a', word)
    expect(service.asked).toEqual(['1', '2', '3'])
    for (const word of ['3', '1', '2']) service.answer(word)
    await driver.settled()
    expect(heard()).toEqual(['1', '2', '3'])
  })

  it('ordered by nothing lets results go on as they come', async () => {
    const { service, driver, heard, input } = setUp({ orderedBy: 'nothing' })
    for (const word of ['1', '2', '3']) input.pipe('a', word)
    for (const word of ['3', '1', '2']) service.answer(word)
    await driver.settled()
    expect(heard()).toEqual(['3', '1', '2'])
  })

  it('has at most `concurrency` calls at a time', async () => {
    const { service, driver, heard, input } = setUp({ concurrency: 2 })
    for (const key of ['a', 'b', 'c']) input.pipe(key, key)
    expect(service.asked).toEqual(['a', 'b'])
    service.answer('a')
    service.answer('b')
    await service.isAsked(3)
    service.answer('c')
    await driver.settled()
    expect(heard()).toEqual(['A', 'B', 'C'])
  })

  it('is tried again after a pause that doubles, as often as it may', async () => {
    const { service, driver, heard, input } = setUp({ retry: { attempts: 3, backoff: 10 } })
    input.pipe('a', 'x')
    service.calls[0]?.refuse()
    await driver.settled()
    expect(service.asked).toHaveLength(1)
    driver.advanceWallClock(10)
    await service.isAsked(2)
    service.calls[1]?.refuse()
    await driver.settled()
    driver.advanceWallClock(19)
    await Promise.resolve()
    expect(service.asked).toHaveLength(2)
    driver.advanceWallClock(1)
    await service.isAsked(3)
    service.calls[2]?.answer()
    await driver.settled()
    expect(heard()).toEqual(['X'])
  })

  it('that fails for good is the failure of its record, and the others go on', async () => {
    const { service, driver, heard, input } = setUp({}, 'continue')
    input.pipe('a', 'bad')
    input.pipe('b', 'good')
    service.calls[0]?.refuse()
    service.answer('good')
    await driver.settled()
    expect(heard()).toEqual(['GOOD'])
  })

  it('that fails for good stops the task where the policy says so', async () => {
    const { service, driver, input } = setUp()
    input.pipe('a', 'bad')
    service.calls[0]?.refuse()
    await expect(driver.settled()).rejects.toMatchObject({ message: expect.stringContaining('no bad') })
  })

  it('that fails for good leaves the record it came from in the dead letter topic', async () => {
    const driver = testDriver(
      topology('dead', (builder) => {
        builder
          .stream(words)
          .mapValues((value) => `${value}?`, { value: string })
          .mapValuesAsync((word) => Promise.reject<string>(new Error(`no ${word}`)), { value: string })
          .to(answers)
      }),
      { policies: { processingFailure: 'deadLetter' }, deadLetterTopic: 'dead' },
    )
    driver.input(words).pipe('a', 'x', { timestamp: 7 })
    await driver.settled()
    expect(driver.output(topic('dead', { value: string })).readAll()).toMatchObject([
      { key: 'a', value: 'x', timestamp: 7 },
    ])
  })

  it('may follow other asynchronous work', async () => {
    const driver = testDriver(
      topology('chain', (builder) => {
        builder
          .stream(words)
          .mapValuesAsync(async (word) => `${word}1`)
          .mapValuesAsync(async (word) => `${word}2`, { value: string })
          .to(answers)
      }),
    )
    for (const key of ['a', 'b']) driver.input(words).pipe(key, key)
    await driver.settled()
    expect(driver.output(answers).readTable()).toEqual(
      new Map([
        ['a', 'a12'],
        ['b', 'b12'],
      ]),
    )
  })

  it('that takes too long fails and is told so by its signal', async () => {
    const { service, driver, input } = setUp({ timeout: 50 })
    input.pipe('a', 'slow')
    driver.advanceWallClock(50)
    await expect(driver.settled()).rejects.toMatchObject({ code: 'ASYNC_TIMEOUT' })
    expect(service.calls[0]?.signal.aborted).toBe(true)
  })

  it('is aborted when the task closes, and says nothing any more', async () => {
    const { service, driver, heard, input } = setUp()
    input.pipe('a', 'x')
    driver.close()
    expect(service.calls[0]?.signal.aborted).toBe(true)
    service.answer('x')
    await Promise.resolve()
    expect(heard()).toEqual([])
  })

  it('may change keys, and what groups after it is repartitioned', async () => {
    const said = topology('rekey', (builder) => {
      builder
        .stream(words)
        .mapAsync(async ({ value }) => ({ key: value, value: `${value}!` }), { value: string })
        .toTable({ store: 'latest' })
        .toStream()
        .filter(({ value }) => value !== null)
        .to(answers)
    })
    expect(said.nodes.some(({ kind }) => kind === 'repartition')).toBe(true)
    const driver = testDriver(said)
    driver.input(words).pipe('a', 'x')
    await driver.settled()
    expect(driver.output(answers).readKeyValues()).toEqual([{ key: 'x', value: 'x!' }])
  })

  it('wants bounds of at least one', () => {
    expect(() => setUp({ concurrency: 0 })).toThrow(/concurrency is 0/)
    expect(() => setUp({ retry: { attempts: 0 } })).toThrow(/attempts is 0/)
  })
})
