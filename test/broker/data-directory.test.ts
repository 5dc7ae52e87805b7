import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { isFault } from '../../src/base/fault.ts'
import type { BrokerCore } from '../../src/broker/core.ts'
import { createBrokerCore, startBroker } from '../../src/broker/index.ts'
import { endTxnSchema } from '../../src/broker/protocol/apis/end-txn.ts'
import { initProducerIdSchema } from '../../src/broker/protocol/apis/init-producer-id.ts'
import { listOffsetsSchema } from '../../src/broker/protocol/apis/list-offsets.ts'
import { createTopicsSchema } from '../../src/broker/protocol/apis/create-topics.ts'
import { offsetCommitSchema } from '../../src/broker/protocol/apis/offset-commit.ts'
import { offsetFetchSchema } from '../../src/broker/protocol/apis/offset-fetch.ts'
import { produceSchema } from '../../src/broker/protocol/apis/produce.ts'
import { Errors } from '../../src/broker/protocol/errors.ts'
import { openDataDirectory } from '../../src/broker/storage/file-storage.ts'
import { nodeFiles, type FileOperations } from '../../src/broker/storage/file-operations.ts'
import { recoverBatches } from '../../src/broker/storage/recover-log.ts'
import { batchOf, type BatchOptions } from './support/batch.ts'
import { openToOthers } from '../support/open-to-others.ts'
import { WireClient } from './support/wire-client.ts'

let directory: string
let clock: ManualClock
let core: BrokerCore
let client: WireClient
let reports: unknown[]
/** Bytes that still fit on the disk. */
let room: number
let openFiles: Set<number>
let mostOpenFiles: number

/** A disk with little room: what does not fit is written in part, and then not at all. */
const disk: FileOperations = {
  ...nodeFiles,
  open: (path) => {
    const file = nodeFiles.open(path)
    openFiles.add(file)
    mostOpenFiles = Math.max(mostOpenFiles, openFiles.size)
    return file
  },
  close: (file) => {
    openFiles.delete(file)
    nodeFiles.close(file)
  },
  write: (file, bytes, start, position) => {
    if (room <= 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    const written = nodeFiles.write(
      file,
      bytes.subarray(0, Math.min(bytes.length, start + room)),
      start,
      position,
    )
    room -= written
    return written
  },
  truncate: (file, length) => {
    room += Math.max(0, nodeFiles.size(file) - length)
    nodeFiles.truncate(file, length)
  },
}

const start = async (): Promise<void> => {
  clock = new ManualClock(1_000_000)
  reports = []
  const report = (error: unknown): void => void reports.push(error)
  const storage = await openDataDirectory(directory, { report, files: disk })
  core = createBrokerCore({ storage, clock, topics: [{ name: 't', partitions: 2 }], onInternalError: report })
  client = new WireClient(core)
}

const restart = async (): Promise<void> => {
  core.close()
  await start()
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-broker-'))
  room = Infinity
  openFiles = new Set()
  mostOpenFiles = 0
  await start()
})

afterEach(() => {
  core.close()
  rmSync(directory, { recursive: true })
})

const send = async (
  value: string,
  options: BatchOptions = {},
  transactionalId: string | null = null,
  topic = 't',
): Promise<number | undefined> => {
  const { responses } = await client.call(produceSchema, 12, {
    transactionalId,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: topic, partitionData: [{ index: 0, records: batchOf([value], options) }] }],
  })
  return responses[0]?.partitionResponses[0]?.errorCode
}

const endOffset = async (isolationLevel = 0): Promise<number | undefined> => {
  const { topics } = await client.call(listOffsetsSchema, 9, {
    replicaId: -1,
    isolationLevel,
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
  })
  return topics[0]?.partitions[0]?.offset
}

const logFile = (): string => join(directory, 'logs', 't-0')

it('a write that does not fit is an error of its request, and leaves nothing behind', async () => {
  expect(await send('first')).toBe(Errors.NONE)
  room = 20
  expect(await send('refused')).toBe(Errors.KAFKA_STORAGE_ERROR)
  expect(await send('refused too')).toBe(Errors.KAFKA_STORAGE_ERROR)
  expect(await endOffset()).toBe(1)
  expect(reports.map((error) => isFault(error, 'DATA_DIRECTORY_WRITE_FAILED'))).toEqual([true])
  room = Infinity
  for (let index = 0; index < 10; index++) expect(await send(`later ${index}`)).toBe(Errors.NONE)
  await restart()
  expect(reports).toEqual([])
  expect(await endOffset()).toBe(11)
  expect(readFileSync(logFile(), 'utf8')).not.toContain('refused')
})

it('a journal entry that does not fit is an error of its request, and changes nothing', async () => {
  const commit = async (committedOffset: number): Promise<number | undefined> => {
    const { topics } = await client.call(offsetCommitSchema, 8, {
      groupId: 'g',
      memberId: '',
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: '' }] }],
    })
    return topics[0]?.partitions[0]?.errorCode
  }
  const committed = async (): Promise<number | undefined> => {
    const { groups } = await client.call(offsetFetchSchema, 8, { groups: [{ groupId: 'g', topics: null }] })
    return groups[0]?.topics[0]?.partitions[0]?.committedOffset
  }
  const create = async (name: string): Promise<number | undefined> => {
    const { topics } = await client.call(createTopicsSchema, 7, {
      topics: [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
      validateOnly: false,
    })
    return topics[0]?.errorCode
  }
  expect(await commit(1)).toBe(Errors.NONE)
  room = 10
  expect(await commit(2)).toBe(Errors.KAFKA_STORAGE_ERROR)
  expect(await create('new')).toBe(Errors.KAFKA_STORAGE_ERROR)
  expect(await committed()).toBe(1)
  expect(core.broker.topics.get('new')).toBeUndefined()
  room = Infinity
  expect(await create('new')).toBe(Errors.NONE)
  await restart()
  expect(await committed()).toBe(1)
  expect(core.broker.topics.get('new')?.partitions.length).toBe(1)
})

it('a transaction whose markers do not fit is completed when there is room again', async () => {
  const transactionalId = 'x'
  const identity = await client.call(initProducerIdSchema, 4, {
    transactionalId,
    transactionTimeoutMs: 5_000,
  })
  const { producerId, producerEpoch } = identity
  const batch = { producerId, producerEpoch, baseSequence: 0, transactional: true }
  expect(await send('a', batch, transactionalId)).toBe(Errors.NONE)
  const end = async (): Promise<number> =>
    (await client.call(endTxnSchema, 5, { transactionalId, producerId, producerEpoch, committed: true }))
      .errorCode
  room = 10
  expect(await end()).toBe(Errors.KAFKA_STORAGE_ERROR)
  room = Infinity
  expect(await end()).toBe(Errors.NONE)
  room = 10
  clock.advance(1_000)
  expect(await end()).toBe(Errors.CONCURRENT_TRANSACTIONS)
  room = Infinity
  clock.advance(1_000)
  expect(await end()).toBe(Errors.NONE)
  expect(await endOffset(1)).toBe(2)
})

it('a transaction that times out on a full disk is aborted later, and ends no process', async () => {
  const transactionalId = 'x'
  const identity = await client.call(initProducerIdSchema, 4, {
    transactionalId,
    transactionTimeoutMs: 5_000,
  })
  const { producerId, producerEpoch } = identity
  await send('a', { producerId, producerEpoch, baseSequence: 0, transactional: true }, transactionalId)
  room = 0
  clock.advance(30_000)
  expect(await endOffset(1)).toBe(0)
  room = Infinity
  clock.advance(30_000)
  expect(await endOffset(1)).toBe(2)
})

it.for([
  { damage: 'a flipped byte of a record', at: 70 },
  { damage: 'a length of zero', at: 8 },
  { damage: 'another number of records', at: 23 },
  { damage: 'another base offset', at: 6 },
])('$damage in the second batch ends the log before it, with a message', async ({ at }) => {
  for (const value of ['first', 'other', 'third']) await send(value)
  core.close()
  const bytes = readFileSync(logFile())
  const second = bytes.length / 3
  if (at === 8) bytes.fill(0, second + 8, second + 12)
  else bytes[second + at] = (bytes[second + at] ?? 0) ^ 0x55
  writeFileSync(logFile(), bytes)
  // As an earlier version made it.
  chmodSync(logFile(), 0o644)
  await start()
  expect(await endOffset()).toBe(1)
  expect(reports).toMatchObject([{ code: 'LOG_TRUNCATED', place: { topic: 't', partition: 0, offset: 1 } }])
  expect(readFileSync(`${logFile()}.damaged`)).toEqual(bytes)
  expect(openToOthers(directory)).toEqual(['logs/t-0 644'])
  expect(await send('next')).toBe(Errors.NONE)
  await restart()
  expect([await endOffset(), reports]).toEqual([2, []])
})

it('a log of more than two gigabytes is read in pieces', () => {
  const batch = batchOf(['x'.repeat(1000)])
  const length = 3 * 2 ** 30
  const longest: number[] = []
  const log = {
    length,
    read: (position: number, wanted: number) => {
      longest.push(wanted)
      const bytes = new Uint8Array(wanted)
      if (position === 0) bytes.set(batch.subarray(0, wanted))
      return bytes
    },
  }
  const damages: unknown[] = []
  const recovered = [...recoverBatches(log, 0, (damage) => damages.push(damage))]
  expect(recovered).toEqual([batch])
  expect(damages).toMatchObject([{ position: batch.length, offset: 1 }])
  expect(Math.max(...longest)).toBeLessThan(2 ** 21)
})

it('hundreds of partitions share a few open files', async () => {
  for (let index = 0; index < 200; index++) {
    core.broker.createTopic(`many-${index}`, 1, new Map())
    expect(await send('x', {}, null, `many-${index}`)).toBe(Errors.NONE)
  }
  expect(mostOpenFiles).toBeLessThanOrEqual(64)
  await restart()
  expect(core.broker.topics.partition('many-3', 0)?.logEndOffset).toBe(1)
  core.close()
  expect(openFiles.size).toBe(0)
})

it('belongs to one broker at a time, and a path that is no directory is a clear error', async () => {
  await expect(startBroker({ dataDirectory: directory })).rejects.toMatchObject({
    code: 'DATA_DIRECTORY_IN_USE',
  })
  await expect(startBroker({ dataDirectory: join(directory, 'journal.jsonl') })).rejects.toMatchObject({
    code: 'DATA_DIRECTORY_UNUSABLE',
  })
  core.close()
  expect(readdirSync(directory).toSorted()).toEqual(['journal.jsonl', 'logs'])
})

it.each<[string, (journal: string) => string]>([
  ['is deleted', () => ''],
  ['is half a line', (journal) => journal.slice(0, 30)],
  ['lacks its last lines', (journal) => journal.split('\n').slice(0, 2).join('\n') + '\n'],
])('a log whose topic is lost because the journal %s is kept, with a message', async (_what, damage) => {
  await send('acknowledged')
  core.close()
  const path = join(directory, 'journal.jsonl')
  writeFileSync(path, damage(readFileSync(path, 'utf8')))
  await start()
  expect(reports).toMatchObject([{ code: 'LOG_UNKNOWN' }])
  expect(readFileSync(`${logFile()}.unknown`, 'utf8')).toContain('acknowledged')
  expect(await send('later')).toBe(Errors.NONE)
  await restart()
  expect(reports).toEqual([])
  expect(await endOffset()).toBe(1)
})

it('a line of the journal that is no entry is refused', async () => {
  core.close()
  writeFileSync(join(directory, 'journal.jsonl'), '{"kind":"cluster","clusterId":"c"}\n[1]\n')
  await expect(start()).rejects.toThrow(
    expect.objectContaining({
      code: 'DATA_DIRECTORY_UNREADABLE',
      message: expect.stringContaining('line 2') as string,
    }) as Error,
  )
})

it('an empty path is no data directory', async () => {
  await expect(startBroker({ dataDirectory: '' })).rejects.toThrow('cannot be used: its path is empty')
})

it('a directory with logs of something else is no data directory, and nothing of it is renamed or deleted', async () => {
  const project = join(directory, 'project')
  mkdirSync(join(project, 'logs'), { recursive: true })
  for (const name of ['server.log', 'access-20240101', 'new-file'])
    writeFileSync(join(project, 'logs', name), '')
  await expect(startBroker({ dataDirectory: project })).rejects.toMatchObject({
    code: 'DATA_DIRECTORY_FOREIGN',
    message: expect.stringMatching(
      /project is not the data directory of a broker.*no journal.jsonl/,
    ) as string,
  })
  expect(readdirSync(project)).toEqual(['logs'])
  expect(readdirSync(join(project, 'logs')).toSorted()).toEqual(['access-20240101', 'new-file', 'server.log'])
})

it('a file of something else with the name of the journal is refused, and stays whole', async () => {
  core.close()
  const text = '{"kind":"cluster","clusterId":"c"}\nnotes\nhalf a line'
  writeFileSync(join(directory, 'journal.jsonl'), text)
  await expect(start()).rejects.toMatchObject({ code: 'DATA_DIRECTORY_UNREADABLE' })
  expect(readFileSync(join(directory, 'journal.jsonl'), 'utf8')).toBe(text)
})
