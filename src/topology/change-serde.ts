import type { Bytes } from '../base/bytes.ts'
import { Fault } from '../base/fault.ts'
import type { AnySerde } from '../topic/serde.ts'
import { deserialized, serialized } from '../topic/serde.ts'
import type { Change } from './node.ts'

/**
 * How a change of a table travels over a repartition topic, byte for byte as Kafka Streams' `ChangedSerializer`. The
 * last byte says what stands before it:
 *
 * - 0: the old value alone (the row leaves this group)
 * - 1: the new value alone (the row joins this group)
 * - 2: the length of the new value as a zigzag varint, the new value, the old value (the row stays in its group)
 */
export interface ChangeSerde extends AnySerde {
  readonly inner: AnySerde
}

/** The serde of changes of values of `inner`. */
export const changeSerde = (inner: AnySerde): ChangeSerde => ({
  name: `change(${inner.name})`,
  nullable: false,
  inner,
  serialize: (change: Change<unknown>) => writeChange(inner, change),
  deserialize: (source, start, end) => readChange(inner, source, start, end),
})

const oldOnly = 0
const newOnly = 1
const both = 2

const writeChange = (inner: AnySerde, { newValue, oldValue }: Change<unknown>): Bytes => {
  const newBytes = newValue === null ? undefined : serialized(inner, newValue as never)
  const oldBytes = oldValue === null ? undefined : serialized(inner, oldValue as never)
  if (newBytes === undefined) return flagged(oldOnly, oldBytes ?? noBytes)
  if (oldBytes === undefined) return flagged(newOnly, newBytes)
  return flagged(both, varint(newBytes.length), newBytes, oldBytes)
}

const readChange = (inner: AnySerde, source: Bytes, start: number, end: number): Change<unknown> => {
  const flag = end > start ? source[end - 1] : undefined
  const last = end - 1
  if (flag === oldOnly)
    return { newValue: null, oldValue: deserialized(inner, source, start, last), isLatest: true }
  if (flag === newOnly)
    return { newValue: deserialized(inner, source, start, last), oldValue: null, isLatest: true }
  if (flag !== both) throw unreadable(`its last byte is ${flag ?? 'missing'}`)
  const [length, newStart] = readVarint(source, start, last)
  const oldStart = newStart + length
  if (length < 0 || oldStart > last) throw unreadable(`it says its new value has ${length} bytes`)
  return {
    newValue: deserialized(inner, source, newStart, oldStart),
    oldValue: deserialized(inner, source, oldStart, last),
    isLatest: true,
  }
}

const noBytes: Bytes = new Uint8Array(0)

const flagged = (flag: number, ...parts: readonly Bytes[]): Bytes => {
  const result = new Uint8Array(parts.reduce((length, part) => length + part.length, 1))
  let position = 0
  for (const part of parts) {
    result.set(part, position)
    position += part.length
  }
  result[position] = flag
  return result
}

/** Lengths are never negative, so zigzag only doubles them. */
const varint = (value: number): Bytes => {
  const result: number[] = []
  let rest = value * 2
  while (rest >= 0x80) {
    result.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  result.push(rest)
  return Uint8Array.from(result)
}

const readVarint = (source: Bytes, start: number, end: number): readonly [number, number] => {
  let value = 0
  let scale = 1
  for (let position = start; position < end && position < start + 5; position++) {
    const byte = source[position] as number
    value += (byte & 0x7f) * scale
    scale *= 0x80
    if (byte < 0x80) return [value % 2 === 0 ? value / 2 : -(value + 1) / 2, position + 1]
  }
  throw unreadable('its length does not end')
}

const unreadable = (why: string): Fault =>
  new Fault({
    code: 'CHANGE_UNREADABLE',
    actor: 'record',
    message: `this is no change of a table as Kafka Streams writes it: ${why}`,
    remedy: 'let no other application write to repartition topics',
  })
