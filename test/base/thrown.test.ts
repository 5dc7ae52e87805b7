import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contentsOf, isFault, isStackOverflow, messageOf, printableStackOf } from '../../src/base/fault.ts'
import type { Fault } from '../../src/base/fault.ts'
import { quotedTextOf, withoutQuotedText } from '../../src/base/record-contents.ts'
import { contentsOfValue, kindOfValue, shown } from '../../src/base/shown.ts'
import { isError, isSound } from '../../src/base/thrown.ts'
import { faultOf } from '../../src/task/record-fault.ts'
import { hostile } from '../support/hostile.ts'

const origin = { topic: 'words', partition: 2, offset: 7 }

/** Reads what was thrown in every way that the error path does. */
const readAll = (thrown: unknown): Fault => {
  const texts = [messageOf(thrown), shown(thrown), kindOfValue(thrown), printableStackOf(thrown) ?? '']
  for (const text of texts) expect(text).toBeTypeOf('string')
  isFault(thrown)
  isStackOverflow(thrown)
  contentsOf(thrown)
  contentsOfValue('value', thrown)
  quotedTextOf(thrown)
  const shownError = withoutQuotedText(thrown)
  if (isError(shownError)) expect(isSound(shownError)).toBe(true)
  const fault = faultOf({ node: 'map', stage: 'processing', origin, key: undefined, error: thrown })
  expect(fault).toMatchObject({ code: 'PROCESSING_FAILED', place: { ...origin, node: 'map' } })
  expect(inspect(fault)).toContain('PROCESSING_FAILED')
  return fault
}

describe('what was thrown', () => {
  it.each(Object.entries(hostile))('makes a fault: %s', (_, make) => void readAll(make()))

  it('makes a fault whatever it is', () => {
    // As functions that make them: fast-check looks into its values, and some of these throw then.
    const values = fc
      .anything({ withNullPrototype: true, withBigInt: true, withSparseArray: true, withDate: true })
      .map((value) => () => value)
    const any = fc.oneof(values, fc.constantFrom(...Object.values(hostile)))
    const names = fc.constantFrom('name', 'message', 'stack', 'cause', 'code', 'errors')
    const errors = fc.tuple(names, any).map(
      ([name, make]) =>
        () =>
          Object.assign(new Error('x'), { [name]: make() }),
    )
    fc.assert(
      fc.property(fc.oneof(any, errors), (make) => void readAll(make())),
      { numRuns: 500 },
    )
  })

  it.each<readonly [string, unknown, string]>([
    ['an object with a message', { message: 'plain' }, 'plain'],
    ['errors without a message', new AggregateError([new Error('one'), new TypeError('two')]), 'one, two'],
    ['an error without a message', new RangeError(), 'RangeError'],
    ['a number for a message', Object.assign(new Error('x'), { message: 5 }), '5'],
    ['a function', () => 1, 'a function'],
    ['a number', NaN, 'NaN'],
    ['nothing', undefined, 'undefined'],
    ['an object without a text', Object.create(null), 'an object that has no text'],
  ])('has a text: %s', (_, thrown, text) => expect(messageOf(thrown)).toBe(text))
})
