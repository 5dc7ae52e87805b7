import { systemClock } from '../../../src/base/system-clock.ts'
import { Cluster } from '../../../src/kafka/cluster.ts'
import { Fetcher } from '../../../src/kafka/fetcher.ts'
import type { TopicPartition } from '../../../src/kafka/topic-partition.ts'
import { partitionName } from '../../../src/kafka/topic-partition.ts'
import { TcpTransport } from '../../../src/kafka/connection/tcp-transport.ts'
import { TransactionalProducer } from '../../../src/kafka/transaction/transactional-producer.ts'
import { rowsOf } from './rows.ts'
import { TrialMember } from './trial-member.ts'

/**
 * A process that copies one topic to another exactly once, as one of several in a group, until it is killed.
 * Arguments: brokers, slot (names its transactions and its static membership), group, input, output, partitions.
 */
const [brokers = '', slot = '', groupId = '', input = '', output = '', partitions = ''] =
  process.argv.slice(2)

const transport = new TcpTransport({ brokers, clientId: `copier-${slot}` })
const cluster = new Cluster({ transport, clock: systemClock })
const transactions = new TransactionalProducer({
  cluster,
  transactionalId: `${groupId}-${slot}`,
  transactionTimeoutMs: 5_000,
})
const fetcher = new Fetcher({ cluster, isolation: 'read_committed', partitionMaxBytes: 1 })
const positions = new Map<string, TopicPartition & { offset: number }>()

const send = (partition: number, key: string | null, value: string | null): void => {
  transactions.producer.send(output, partition, bytesOf(key), bytesOf(value), Date.now())
}

const bytesOf = (text: string | null): Uint8Array => Buffer.from(text ?? '')

/** Copies what has come and makes it final; a fault takes everything back to what is committed. */
const turn = async (member: TrialMember): Promise<void> => {
  const batches = await fetcher.poll(50)
  for (const batch of batches) {
    for (const { key, value } of rowsOf(batch)) send(batch.partition, key, value)
    const { topic, partition, nextOffset: offset } = batch
    positions.set(partitionName(topic, partition), { topic, partition, offset })
  }
  if (positions.size === 0) return
  try {
    await transactions.commit({ groupId, generation: member.membership, offsets: [...positions.values()] })
    positions.clear()
  } catch (error) {
    console.error(String(error))
    positions.clear()
    await transactions.initialize()
    await resume(member, member.membership.ownedPartitions)
  }
}

const resume = async (member: TrialMember, owned: readonly TopicPartition[]): Promise<void> => {
  const committed = await member.membership.fetchOffsets({ partitions: owned, requireStable: true })
  fetcher.assign(
    owned.map((each) => ({
      ...each,
      offset: committed.get(partitionName(each.topic, each.partition))?.offset ?? 0,
    })),
  )
}

/** One thing at a time: a turn, or what the group wants. */
let queue: Promise<unknown> = Promise.resolve()
const alone = <T>(work: () => Promise<T>): Promise<T> => {
  const done = queue.then(work)
  queue = done.catch((error: unknown) => console.error(String(error)))
  return done
}

await transactions.initialize()
await transactions.producer.prepare([output])
const member: TrialMember = new TrialMember({
  cluster,
  groupId,
  name: slot,
  kind: 'eager',
  topic: input,
  partitions: Number(partitions),
  groupInstanceId: slot,
  onRevoke: () => alone(async () => fetcher.assign([])),
  onAssign: ({ assigned }) => alone(() => resume(member, assigned)),
})
for (;;) await alone(() => turn(member))
