import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Compression } from '../../../src/kafka/record-batch/compression.ts'
import { ensureKafkaJars } from '../../support/kafka/kafka-jars.ts'
import type { RunningProcess } from '../../support/run-process.ts'
import { runProcess, runToEnd } from '../../support/run-process.ts'

/** Records as the lines that RecordTool.java reads and prints. */
export interface RawRecord {
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly (readonly [string, Uint8Array | null])[]
}

/** Runs RecordTool.java, which says what its arguments and lines are. */
export const runJava = async (
  args: readonly string[],
  input: readonly string[] = [],
): Promise<readonly string[]> => {
  const source = join(import.meta.dirname, 'RecordTool.java')
  const classPath = join(await ensureKafkaJars(), '*')
  const { stdout } = await runToEnd('java', ['-Xmx256m', '-cp', classPath, source, ...args], {
    input: `${input.join('\n')}\n`,
    deadlineMs: 90_000,
  })
  return stdout.split('\n')
}

/** Runs GroupMember.java, which has joined its group when this resolves, and leaves it when it is disposed of. */
export const joinByJava = async (
  brokers: string,
  protocol: 'consumer' | 'streams',
  group: string,
  topic: string,
): Promise<RunningProcess> => {
  const source = join(import.meta.dirname, 'GroupMember.java')
  const classPath = join(await ensureKafkaJars(), '*')
  const args = ['-Xmx256m', '-cp', classPath, source, brokers, protocol, group, topic]
  const member = runProcess('java', args)
  await member.waitForLine('joined', 90_000)
  return member
}

/** A record for the tool to write. */
export const writtenLine = (topic: string, codec: Compression, { timestamp, ...rest }: RawRecord): string =>
  [topic, codec, timestamp, ...columnsOf(rest)].join('\t')

/** A record as the tool prints what it read. */
export const readLine = (
  topic: string,
  offset: number,
  isLogAppendTime: boolean,
  { timestamp, ...rest }: RawRecord,
): string =>
  [topic, offset, isLogAppendTime ? 'LogAppendTime' : 'CreateTime', timestamp, ...columnsOf(rest)].join('\t')

const columnsOf = ({ key, value, headers }: Omit<RawRecord, 'timestamp'>): readonly string[] => [
  base64(key),
  base64(value),
  headers.map(([name, content]) => `${base64(new TextEncoder().encode(name))}:${base64(content)}`).join(','),
]

const base64 = (bytes: Uint8Array | null): string =>
  bytes === null ? '-' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

/** A line that a person can read where it is not what it should be. */
export const shortened = (line: string): string =>
  line.replace(
    /[^\t]{2000,}/g,
    (column) => `sha256 ${createHash('sha256').update(column).digest('hex')} of ${column.length}`,
  )
