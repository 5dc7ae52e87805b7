import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { utf8Encode } from '../../src/base/bytes.ts'
import type { Fault } from '../../src/base/fault.ts'
import { json } from '../../src/topic/json.ts'
import { deserializeAll } from '../../src/topic/serde.ts'
import { bigLong, bytes, double, integer, long, string } from '../../src/topic/serdes.ts'

const secret = '4111-1111'

const faultOf = (call: () => unknown): Fault => {
  try {
    call()
  } catch (error) {
    return error as Fault
  }
  throw new Error('nothing was thrown')
}

const read = (schema: z.ZodType, text: string): Fault =>
  faultOf(() => deserializeAll(json(schema), utf8Encode(text)))
const write = (serde: unknown, value: unknown): Fault =>
  faultOf(() => (serde as { serialize: (each: unknown) => unknown }).serialize(value))

const circular: Record<string, unknown> = {}
circular[secret] = circular

const faults: Record<string, () => Fault> = {
  'text that is no JSON': () => read(z.any(), `{"pan":"${secret}`),
  'a bare word': () => read(z.any(), secret),
  'a key that a strict object lacks': () => read(z.strictObject({}), `{"${secret}":1}`),
  'the key of a record in a path': () => read(z.record(z.string(), z.number()), `{"${secret}":"x"}`),
  'the key of a record that is refused': () =>
    read(z.record(z.string().max(2), z.number()), `{"${secret}":1}`),
  'a discriminator that is unknown': () =>
    read(z.discriminatedUnion('type', [z.object({ type: z.literal('a') })]), `{"type":"${secret}"}`),
  'an enum': () => read(z.enum(['a', 'b']), `"${secret}"`),
  'a key whose value JSON has not': () => write(json(z.any()), { [secret]: Number.NaN }),
  'a value that contains itself': () => write(json(z.any()), circular),
  'a key that is lost': () =>
    write(json(z.record(z.string(), z.record(z.string(), z.any()))), {
      [secret]: JSON.parse('{"__proto__":1}'),
    }),
  'a text as a long': () => write(long, secret),
  'a text as an integer': () => write(integer, secret),
  'a text as a bigLong': () => write(bigLong, secret),
  'a text as a double': () => write(double, secret),
  'a text as bytes': () => write(bytes, secret),
  'a number as a text': () => write(string, 4_111_1111),
}

describe('the fault of a value', () => {
  it.each(Object.entries(faults))('never shows what the record holds: %s', (_what, failing) => {
    const fault = failing()
    expect(fault.actor).toBe('record')
    const shown = `${fault.message}\n${fault.stack}\n${inspect(fault, { depth: 20, showHidden: true })}\n${JSON.stringify(fault)}`
    expect(shown).not.toContain(secret)
    expect(shown).not.toContain('41111111')
  })

  it('names the properties that the schema declares, and places in arrays', () => {
    const Order = z.object({ lines: z.array(z.object({ amount: z.number() })) })
    expect(read(Order, '{"lines":[{"amount":1},{"amount":"x"}]}').message).toContain(
      'lines.1.amount: Invalid',
    )
  })

  it('keeps what it is about in its contents, quoted', () => {
    const { contents } = read(z.any(), `{"pan":"${secret}\u001b[2J`)
    expect(contents['value']).toBe(JSON.stringify(`{"pan":"${secret}\u001b[2J`))
  })

  it('lists ten of a million issues', () => {
    const many = JSON.stringify(Array.from({ length: 50_000 }, () => 'x'))
    const { message } = read(z.array(z.number()), many)
    expect(message).toContain('and 49990 more issues')
    expect(message.length).toBeLessThan(2_000)
  })
})
