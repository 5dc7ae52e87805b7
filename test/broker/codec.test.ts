import * as platformatic from '@platformatic/kafka'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import { APIS } from '../../src/broker/api/all.ts'
import { errorResponse } from '../../src/broker/api/error-response.ts'
import { codecOf } from '../../src/broker/protocol/codec.ts'
import { Reader } from '../../src/broker/protocol/reader.ts'
import { parseHead, type ApiSchema, type Fields } from '../../src/broker/protocol/schema.ts'
import { uuidFromBytes, uuidToBytes } from '../../src/broker/protocol/uuid.ts'
import { Writer } from '../../src/broker/protocol/writer.ts'
import { arbitraryMessage } from './support/arbitrary-message.ts'

interface Case {
  readonly schema: ApiSchema
  readonly version: number
  readonly title: string
}

const cases: readonly Case[] = [...APIS.values()].flatMap(({ schema }) => {
  const [first, last] = schema.versions
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    schema,
    version: first + index,
    title: `${schema.name} ${first + index}`,
  }))
})

type Side = 'request' | 'response'

const encode = ({ schema, version }: Case, side: Side, message: unknown): Uint8Array => {
  const writer = new Writer(8)
  codecOf(schema, side, version).encode(writer, message)
  return concatBytes(...writer.chunks())
}

/** The decoded message, and how many bytes were left over. */
const decode = ({ schema, version }: Case, side: Side, bytes: Uint8Array): [unknown, number] => {
  const reader = new Reader(bytes)
  return [codecOf(schema, side, version).decode(reader), reader.remaining]
}

/** The codecs of @platformatic/kafka for one version: they were written by others from the same specification. */
interface ClientCodec {
  createRequest(...args: unknown[]): { readonly buffer: Buffer }
  parseResponse(correlationId: number, apiKey: number, apiVersion: number, reader: unknown): unknown
}

const clientCodec = ({ schema, version }: Case): ClientCodec | undefined => {
  const name = `${schema.name.charAt(0).toLowerCase()}${schema.name.slice(1)}V${version}`
  return (platformatic as unknown as Record<string, ClientCodec | undefined>)[name]
}

describe('a message of any version', () => {
  it.for(cases)('$title is decoded to what was encoded', (each) => {
    for (const side of ['request', 'response'] as const) {
      fc.assert(
        fc.property(arbitraryMessage(each.schema[side], each.version), (message) => {
          const [decoded, rest] = decode(each, side, encode(each, side, message))
          expect(rest).toBe(0)
          expect(decoded).toEqual(message)
        }),
        { numRuns: 25 },
      )
    }
  })

  it.for(cases)('$title ends in a fault, not in nonsense, when its bytes are cut', (each) => {
    fc.assert(
      fc.property(arbitraryMessage(each.schema.request, each.version), fc.nat(), (message, cut) => {
        const bytes = encode(each, 'request', message)
        const kept = cut % Math.max(1, bytes.length)
        if (kept === bytes.length) return
        expect(() => decode(each, 'request', bytes.subarray(0, kept))).toThrow(
          expect.objectContaining({ code: 'MALFORMED_REQUEST' }),
        )
      }),
      { numRuns: 10 },
    )
  })

  it('skips tagged fields that it does not know', () => {
    const each = { schema: APIS.get(12)?.schema as ApiSchema, version: 4, title: 'Heartbeat 4' }
    const bytes = encode(each, 'request', {
      groupId: 'g',
      generationId: 1,
      memberId: 'm',
      groupInstanceId: null,
    })
    const tagged = concatBytes(bytes.subarray(0, -1), Uint8Array.from([2, 0, 1, 9, 5, 2, 8, 8]))
    expect(decode(each, 'request', tagged)).toEqual([
      { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null },
      0,
    ])
  })
})

const topic = 'orders'
const uuid = 'c0ffee00-1234-4321-8abc-0123456789ab'
const bytes = Buffer.from('bytes')
const commitTopics = [
  {
    name: topic,
    partitions: [
      { partitionIndex: 1, committedOffset: 7n, committedLeaderEpoch: 2, committedMetadata: 'meta' },
    ],
  },
]

/** What each request of the client is made of, by its own positional arguments. */
const requests: Readonly<Record<string, readonly unknown[]>> = {
  Produce: [-1, 1000, [{ topic, partition: 1, value: bytes, timestamp: 5n }], { transactionalId: 't' }],
  Fetch: [
    500,
    1,
    1000,
    1,
    0,
    -1,
    [{ topic: uuid, topicId: uuid, partitions: [fetchPartition()] }],
    [{ topic: uuid, topicId: uuid, partitions: [4] }],
    'rack',
  ],
  ListOffsets: [
    -1,
    1,
    [{ name: topic, partitions: [{ partitionIndex: 1, currentLeaderEpoch: 3, timestamp: -1n }] }],
  ],
  Metadata: [[topic], true, true],
  OffsetCommit: ['group', 3, 'member', 'instance', commitTopics],
  FindCoordinator: [1, ['key']],
  JoinGroup: [
    'group',
    6000,
    7000,
    'member',
    'instance',
    'consumer',
    [{ name: 'range', metadata: bytes }],
    'why',
  ],
  Heartbeat: ['group', 3, 'member', 'instance'],
  LeaveGroup: ['group', [{ memberId: 'member', groupInstanceId: 'instance', reason: 'why' }]],
  SyncGroup: [
    'group',
    3,
    'member',
    'instance',
    'consumer',
    'range',
    [{ memberId: 'member', assignment: bytes }],
  ],
  DescribeGroups: [['group'], true],
  ListGroups: [['Stable'], ['classic']],
  ApiVersions: ['name', '1.0'],
  CreateTopics: [
    [
      {
        name: topic,
        numPartitions: -1,
        replicationFactor: -1,
        assignments: [{ partitionIndex: 0, brokerIds: [1] }],
        configs: [{ name: 'a', value: 'b' }],
      },
    ],
    1000,
    true,
  ],
  DeleteRecords: [[{ name: topic, partitions: [{ partitionIndex: 1, offset: 5n }] }], 1000],
  InitProducerId: ['t', 1000, 5n, 6],
  AddOffsetsToTxn: ['t', 5n, 6, 'group'],
  EndTxn: ['t', 5n, 6, true],
  TxnOffsetCommit: ['t', 'group', 5n, 6, 3, 'member', 'instance', commitTopics],
  DescribeConfigs: [[{ resourceType: 2, resourceName: topic, configurationKeys: ['a'] }], true, true],
  CreatePartitions: [[{ name: topic, count: 3, assignments: [{ brokerIds: [1] }] }], 1000, true],
  DeleteGroups: [['group']],
  IncrementalAlterConfigs: [
    [{ resourceType: 2, resourceName: topic, configs: [{ name: 'a', configOperation: 0, value: 'b' }] }],
    true,
  ],
  OffsetDelete: ['group', [{ name: topic, partitions: [{ partitionIndex: 1 }] }]],
  DescribeCluster: [true, 1],
  DescribeProducers: [[{ name: topic, partitionIndexes: [1] }]],
  DescribeTransactions: [['t']],
  ListTransactions: [['Ongoing'], [5n], 7n],
}

function fetchPartition(): object {
  return {
    partition: 1,
    currentLeaderEpoch: 3,
    fetchOffset: 9n,
    lastFetchedEpoch: -1,
    partitionMaxBytes: 100,
  }
}

describe('the client’s own codec', () => {
  const asked = cases.filter(
    (each) => requests[each.schema.name] !== undefined && clientCodec(each) !== undefined,
  )

  it('covers nearly everything that is served', () => {
    expect(new Set(asked.map(({ schema }) => schema.name)).size).toBeGreaterThan(27)
  })

  it.for(asked)('writes $title as it is read here, to the last byte', (each) => {
    const args = structuredClone(requests[each.schema.name] ?? []).map((argument) => restoreBuffers(argument))
    const written = clientCodec(each)?.createRequest(...args).buffer ?? bytes
    const [message, rest] = decode(each, 'request', written)
    expect(rest).toBe(0)
    expect(Buffer.from(encode(each, 'request', message))).toEqual(written)
    const newest = asked.findLast(({ schema }) => schema === each.schema)
    if (each === newest) expect(JSON.stringify(message)).toMatchSnapshot()
  })

  const readable = cases.filter(
    (each) => clientCodec(each) !== undefined && each.schema.name !== 'ApiVersions',
  )

  it.for(readable)('reads $title as it is written here', (each) => {
    const overrides = {
      errorCode: fc.constant(0),
      partitionErrorCode: fc.constant(0),
      topicConfigErrorCode: fc.constant(0),
      errorMessage: fc.constant(null),
      records: fc.constant(new Uint8Array(0)),
      recordErrors: fc.constant([]),
    }
    fc.assert(
      fc.property(arbitraryMessage(each.schema.response, each.version, overrides), (message) => {
        const reader = platformatic.Reader.from(Buffer.from(encode(each, 'response', message)))
        const parsed = clientCodec(each)?.parseResponse(1, each.schema.key, each.version, reader)
        expect(reader.remaining).toBe(0)
        expectSame(each.schema.response, each.version, message, parsed)
      }),
      { numRuns: 20 },
    )
  })
})

/** `structuredClone` turns buffers into plain arrays of bytes. */
const restoreBuffers = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (Array.isArray(value)) return value.map(restoreBuffers)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, restoreBuffers(inner)]))
}

/** Compares the fields of this version that both sides know by the same name. */
const expectSame = (fields: Fields, version: number, ours: unknown, theirs: unknown): void => {
  for (const [name, field] of Object.entries(fields)) {
    const { since, until } = parseHead(typeof field === 'string' ? field : field[0])
    const value = (ours as Record<string, unknown>)[name]
    const parsed = (theirs as Record<string, unknown>)[name]
    if (version < since || version > until || parsed === undefined || value === null) continue
    if (typeof field === 'string') expectSameValue(value, parsed)
    else if (Array.isArray(value)) {
      expect((parsed as unknown[]).length).toBe(value.length)
      for (const [index, item] of value.entries())
        expectSame(field[1], version, item, (parsed as unknown[])[index])
    }
  }
}

/** Ids, bytes and 64-bit numbers are written differently. */
const expectSameValue = (ours: unknown, theirs: unknown): void => {
  if (typeof theirs === 'bigint') expect(BigInt(ours as number)).toBe(theirs)
  else if (ours instanceof Uint8Array)
    expect(!(theirs instanceof Uint8Array) || Buffer.from(ours).equals(theirs)).toBe(true)
  else if (typeof theirs === 'string' && /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(theirs))
    expect(Buffer.from(uuidToBytes(ours as string)).toString('hex')).toBe(theirs.replaceAll('-', ''))
  else expect(theirs).toEqual(ours)
}

describe('ids', () => {
  it('are kept as Kafka prints them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (id) => {
        expect(uuidFromBytes(id)).toBe(Buffer.from(id).toString('base64url'))
        expect(uuidToBytes(uuidFromBytes(id))).toEqual(id)
      }),
    )
  })
})

describe('an error for everything that was asked', () => {
  it.for(cases)('$title can be told in one response', (each) => {
    fc.assert(
      fc.property(arbitraryMessage(each.schema.request, each.version), (request) => {
        const response = errorResponse(each.schema, request, 19)
        const [, rest] = decode(each, 'response', encode(each, 'response', response))
        expect(rest).toBe(0)
      }),
      { numRuns: 10 },
    )
  })

  it('names the partitions of a produce request', () => {
    const request = { topicData: [{ name: topic, partitionData: [{ index: 4, records: null }] }] }
    expect(errorResponse(APIS.get(0)?.schema as ApiSchema, request, 19)).toMatchObject({
      responses: [{ name: topic, partitionResponses: [{ index: 4, errorCode: 19 }] }],
    })
  })
})
