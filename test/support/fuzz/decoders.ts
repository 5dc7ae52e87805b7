import * as fc from 'fast-check'
import { ByteWriter } from '../../../src/base/byte-fields.ts'
import type { Bytes } from '../../../src/base/bytes.ts'
import { joinBytes, utf8Encode } from '../../../src/base/bytes.ts'
import { APIS } from '../../../src/broker/api/all.ts'
import { visitRecords } from '../../../src/broker/log/records.ts'
import { readBatchHeader } from '../../../src/broker/log/record-batch.ts'
import { codecOf } from '../../../src/broker/protocol/codec.ts'
import { decodeRequest, readRequestHeader } from '../../../src/broker/protocol/frame.ts'
import { Reader } from '../../../src/broker/protocol/reader.ts'
import type { ApiSchema } from '../../../src/broker/protocol/schema.ts'
import { Writer } from '../../../src/broker/protocol/writer.ts'
import { recoverBatches } from '../../../src/broker/storage/recover-log.ts'
import { apiVersionsApi } from '../../../src/kafka/api-versions-codec.ts'
import type { Api } from '../../../src/kafka/apis.ts'
import * as pinned from '../../../src/kafka/apis.ts'
import { FrameReader } from '../../../src/kafka/connection/frame-reader.ts'
import { fetchApi } from '../../../src/kafka/fetch/fetch-codec.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/kafka/group/consumer-protocol.ts'
import type { Compression } from '../../../src/kafka/record-batch/compression.ts'
import { BatchSlices } from '../../../src/kafka/record-batch/batch-slices.ts'
import { scanBatches } from '../../../src/kafka/record-batch/scan-batches.ts'
import { produceV11Api, produceV12Api } from '../../../src/kafka/produce/produce-codec.ts'
import {
  decodeAssignmentData,
  decodeMemberData,
  encodeAssignmentData,
  encodeMemberData,
} from '../../../src/runtime/group-data.ts'
import { decodeOffsetMetadata, encodeOffsetMetadata } from '../../../src/runtime/offset-metadata.ts'
import { decodeHeaders } from '../../../src/topic/record-columns.ts'
import { arbitraryMessage } from '../../broker/support/arbitrary-message.ts'
import { sealRows } from '../../kafka/support/batches.ts'
import { rowDecoders } from './row-decoders.ts'

/** A function that reads bytes which others have written, with messages that it can read. */
export interface Decoder {
  readonly name: string
  readonly valid: fc.Arbitrary<Bytes>
  readonly decode: (bytes: Bytes) => unknown
}

const encoded = (schema: ApiSchema, side: 'request' | 'response', version: number): fc.Arbitrary<Bytes> =>
  arbitraryMessage(schema[side], version).map((message) => {
    const writer = new Writer()
    codecOf(schema, side, version).encode(writer, message)
    return joinBytes(writer.chunks())
  })

type AnyApi = Api<never, unknown>

const clientApis: readonly AnyApi[] = [
  ...Object.values(pinned as unknown as Readonly<Record<string, unknown>>).filter(
    (value): value is AnyApi => typeof value === 'object',
  ),
  apiVersionsApi,
  fetchApi,
  produceV11Api,
  produceV12Api,
]

/** The embedded broker serves no SASL. */
const saslAnswers = fc.constantFrom(
  new Uint8Array(Buffer.from('0000000000010005504c41494e', 'hex')),
  new Uint8Array(Buffer.from('00000004616263000000000000000000', 'hex')),
)

const responses: readonly Decoder[] = clientApis.map(({ name, key, version, decode }) => {
  const schema = APIS.get(key)?.schema
  return {
    name: `the response of ${name} ${version}`,
    valid: schema === undefined ? saslAnswers : encoded(schema, 'response', version),
    decode,
  }
})

const requests: readonly Decoder[] = [...APIS.values()].flatMap(({ schema }) =>
  [...new Set(schema.versions)].map((version) => ({
    name: `the request of ${schema.name} ${version}`,
    valid: encoded(schema, 'request', version),
    decode: (bytes: Bytes) => decodeRequest(schema, version, new Reader(bytes)),
  })),
)

const schemaOf = (apiKey: number): ApiSchema | undefined => APIS.get(apiKey)?.schema

const partitions = fc.array(fc.record({ topic: fc.string({ maxLength: 5 }), partition: fc.nat(9) }), {
  maxLength: 4,
})
const userData = fc.option(fc.uint8Array({ maxLength: 20 }))
const taskCounts = fc
  .dictionary(fc.constantFrom('0_0', '0_1', '1_0'), fc.nat(99), { maxKeys: 3 })
  .map((counts) => new Map(Object.entries(counts)))

const groupMessages: readonly Decoder[] = [
  {
    name: 'the subscription of a member',
    valid: fc
      .record({
        topics: fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }),
        userData,
        ownedPartitions: partitions,
        generationId: fc.nat(9),
      })
      .map(encodeSubscription),
    decode: decodeSubscription,
  },
  {
    name: 'the assignment of a member',
    valid: fc.record({ partitions, userData }).map(encodeAssignment),
    decode: decodeAssignment,
  },
  {
    name: 'the user data of a member',
    valid: taskCounts.map((standbys) =>
      encodeMemberData({ processId: 'p', tasks: ['0_0'], standbys, endpoint: 'a:1' }),
    ),
    decode: decodeMemberData,
  },
  {
    name: 'the user data of an assignment',
    valid: taskCounts.map((sizes) =>
      encodeAssignmentData({
        standbys: ['0_1'],
        warmups: [],
        followUp: true,
        members: 2,
        endpoints: [{ endpoint: 'a:1', active: ['0_0'], standby: [] }],
        sizes,
      }),
    ),
    decode: decodeAssignmentData,
  },
  {
    name: 'the metadata of a committed offset',
    valid: taskCounts.map((processors) => {
      const topic = { id: '0123abcd-4567-89ab-cdef-0123456789ab', partitions: 3 }
      return Buffer.from(encodeOffsetMetadata({ partitionTimeMs: 7, processors, topic }), 'base64')
    }),
    decode: (bytes) => decodeOffsetMetadata(Buffer.from(bytes).toString('base64')),
  },
]

const batchesOf = (compression: Compression): fc.Arbitrary<Bytes> =>
  fc
    .array(fc.tuple(fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 })), { minLength: 1, maxLength: 4 })
    .map((texts) => {
      const rows = texts.map(([key, value]) => ({
        key: utf8Encode(key),
        value: utf8Encode(value),
        timestamp: 1,
        headers: [[key, utf8Encode(value)] as const],
      }))
      return sealRows(rows, compression).bytes
    })

/** Without checksums, so that what is wrong reaches the reader of the records. */
const fetched: readonly Decoder[] = (['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const).map(
  (compression) => ({
    name: `fetched batches (${compression})`,
    valid: fc.array(batchesOf(compression), { maxLength: 3 }).map(joinBytes),
    decode: (bytes) => {
      const scanned = scanBatches(bytes, 0, bytes.length, { fetchOffset: 0, checkCrcs: false })
      const slices = new BatchSlices(scanned, 0, 1_048_576)
      while (!slices.isDone) {
        const slice = slices.next()
        if (slice instanceof Promise) return abandon(slices, slice)
        for (let row = 0; row < slice.columns.count; row++) decodeHeaders(slice.columns, row)
      }
    },
  }),
)

/** A batch that becomes large is decompressed in pieces, between other work: test/kafka/record-batch tries that. */
const abandon = (slices: BatchSlices, slice: Promise<unknown>): void => {
  slices.close()
  slice.catch(() => undefined)
}

const batches = batchesOf('none')

const ofTheBroker: readonly Decoder[] = [
  {
    name: 'the header of a request',
    valid: fc.constant(new Uint8Array(Buffer.from('000c000400000007000161000102', 'hex'))),
    decode: (bytes) => readRequestHeader(new Reader(bytes), schemaOf),
  },
  {
    name: 'the records of a produced batch',
    valid: batches,
    decode: (bytes) => {
      const header = readBatchHeader(bytes)
      return header === undefined
        ? undefined
        : visitRecords(
            bytes,
            header,
            () => undefined,
            () => true,
          )
    },
  },
  {
    name: 'the log of a partition',
    valid: fc.array(batches, { maxLength: 3 }).map(joinBytes),
    decode: (bytes) => {
      const log = {
        length: bytes.length,
        read: (at: number, length: number) => bytes.subarray(at, at + length),
      }
      return [...recoverBatches(log, 0, () => undefined)]
    },
  },
]

const frames: Decoder = {
  name: 'the frames of a connection',
  valid: fc
    .array(fc.uint8Array({ maxLength: 20 }), { maxLength: 4 })
    .map((bodies) => joinBytes(bodies.map((body) => new ByteWriter().sized(body).finish()))),
  decode: (bytes) => {
    const frameReader = new FrameReader(() => undefined)
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + Math.min(7, frameReader.room.length))
      frameReader.room.set(piece)
      frameReader.take(piece.length)
      at += piece.length
    }
  },
}

/** All that an application and the embedded broker read of what others have written. */
export const decoders: readonly Decoder[] = [
  ...responses,
  ...requests,
  ...groupMessages,
  ...ofTheBroker,
  frames,
  ...fetched,
  ...rowDecoders,
]
