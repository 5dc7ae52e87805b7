import { join } from 'node:path'
import { pause } from '../../runtime/chaos/chaos-run.ts'
import type { Copy, Count } from '../../runtime/chaos/outcome.ts'
import { copies, counts } from '../../runtime/chaos/topology.ts'
import { ensureKafkaJars } from '../../support/kafka/kafka-jars.ts'
import { runProcess } from '../../support/run-process.ts'

/** What a chaos application wrote, read by Kafka's own console consumer: committed records only, from the beginning. */
export const committedOutcome = async (
  brokers: string,
): Promise<{ readonly copies: readonly Copy[]; readonly counts: readonly Count[] }> => {
  const [copied, counted] = await Promise.all([
    committedRecords(brokers, copies.name),
    committedRecords(brokers, counts.name),
  ])
  return { copies: copied.map(copyOf), counts: counted.map(countOf) }
}

interface ConsumedRecord {
  readonly appendedMs: number
  readonly partition: number
  readonly key: string
  readonly value: readonly string[]
}

/** How long nothing more comes before the topic counts as read. The first record may take as long as a JVM's start. */
const idleMs = 4_000
const firstRecordTimeoutMs = 60_000

const committedRecords = async (brokers: string, topic: string): Promise<readonly ConsumedRecord[]> => {
  const properties = ['timestamp', 'partition', 'key', 'value'].flatMap((each) => [
    '--formatter-property',
    `print.${each}=true`,
  ])
  await using consumer = runProcess('java', [
    ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', join(await ensureKafkaJars(), '*')],
    ...['org.apache.kafka.tools.consumer.ConsoleConsumer', '--bootstrap-server', brokers, '--topic', topic],
    ...['--from-beginning', '--isolation-level', 'read_committed', ...properties],
  ])
  // Where nothing was ever committed, that is what the trial is about.
  await consumer.waitForLine(/^LogAppendTime/, firstRecordTimeoutMs).catch(() => undefined)
  for (let read = 0; read < consumer.lines.length; await pause(idleMs)) read = consumer.lines.length
  const { stdout, stderr } = await consumer.stop()
  const lines = stdout.split('\n').filter((line) => line.startsWith('LogAppendTime'))
  const processed = Number(/Processed a total of (\d+) messages/.exec(stderr)?.[1])
  if (processed !== lines.length)
    throw new Error(`the console consumer read ${processed} records of ${topic}, and wrote ${lines.length}`)
  return lines.map(recordOf)
}

/** `LogAppendTime:1764500000000 Partition:0 w7 3 4711`, by tabulators. */
const recordOf = (line: string): ConsumedRecord => {
  const [time = '', partition = '', key = '', value = ''] = line.split('\t')
  return {
    appendedMs: Number(time.split(':')[1]),
    partition: Number(partition.split(':')[1]),
    key,
    value: value.split(' '),
  }
}

const copyOf = ({ key, value: [word = '', writtenMs, pid], ...place }: ConsumedRecord): Copy => ({
  ...place,
  event: Number(key.slice(1)),
  word,
  writtenMs: Number(writtenMs),
  pid: Number(pid),
})

const countOf = ({ key, value: [count, pid], ...place }: ConsumedRecord): Count => ({
  ...place,
  word: key,
  count: Number(count),
  pid: Number(pid),
})
