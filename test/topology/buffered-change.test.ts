import { describe, expect, it } from 'vitest'
import { hexDecode, hexEncode } from '../../src/base/bytes.ts'
import { long, string } from '../../src/index.ts'
import type { Serde } from '../../src/topic/serde.ts'
import { deserializeAll } from '../../src/topic/serde.ts'
import type { BufferedChange } from '../../src/topology/buffered-change.ts'
import { bufferedChangeSerde } from '../../src/topology/buffered-change.ts'

const serdeOver = (value: Serde<string> | Serde<number>): Serde<BufferedChange> =>
  bufferedChangeSerde(value) as unknown as Serde<BufferedChange>

/** Written by Kafka Streams 4.3.1 to the changelogs of suppressions. */
const written = [
  {
    about: 'an update with headers, one of them null',
    serde: serdeOver(long),
    bytes:
      '00000000000005dc000000000000000100000002696e000000000000000200000001680000000131000000016effffffffffffffff' +
      '00000008000000000000000100000008000000000000000200000000000007d0',
    change: {
      timestamp: 1500,
      offset: 1,
      topic: 'in',
      partition: 0,
      headers: [
        ['h', hexDecode('31')],
        ['n', null],
      ],
      priorValue: null,
      oldValue: 1,
      newValue: 2,
      bufferTimeMs: 2000,
    },
  },
  {
    about: 'a deletion whose old value is the one before all updates that wait',
    serde: serdeOver(string),
    bytes:
      '00000000000009c4000000000000000400000002696e00000000000000000000000378797afffffffeffffffff00000000000009c4',
    change: {
      timestamp: 2500,
      offset: 4,
      topic: 'in',
      partition: 0,
      headers: [],
      priorValue: 'xyz',
      oldValue: 'xyz',
      newValue: null,
      bufferTimeMs: 2500,
    },
  },
] satisfies readonly { about: string; serde: Serde<BufferedChange>; bytes: string; change: BufferedChange }[]

describe('an update that waits in a suppression', () => {
  it.each(written)(
    'stands on the changelog as Kafka Streams writes it: $about',
    ({ serde, bytes, change }) => {
      expect(hexEncode(serde.serialize(change))).toBe(bytes)
      expect(deserializeAll(serde, hexDecode(bytes))).toEqual(change)
    },
  )
})
