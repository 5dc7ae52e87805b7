import { join } from 'node:path'
import { runProcess } from '../support/run-process.ts'
import { TopicClient } from '../support/topic-client.ts'
import type { Bomb } from './bombs/bomb.ts'
import { bombOf, sendBatch } from './bombs/bomb.ts'
import type { Trial, TrialContext, TrialResult } from './trial.ts'

/** Batches that become far larger than they are: an application with default settings counts their records in bounded memory. */
interface BombTrial {
  readonly name: string
  readonly finding: string
  readonly partitions: number
  /** How often each partition gets the batch. */
  readonly times: number
  readonly bomb: Bomb
}

const maxRssMb = 600
const zeros = (size: number): Bomb['valueOf'] => {
  const value = new Uint8Array(size)
  return () => value
}

/** A line of an access log, some 250 bytes, as JSON. */
const logLine: Bomb['valueOf'] = (index) =>
  Buffer.from(
    JSON.stringify({
      time: new Date(1_700_000_000_000 + index * 37).toISOString(),
      address: `10.0.${index % 7}.${(index * 31) % 255}`,
      method: 'GET',
      path: `/shop/items/${(index * 7919) % 1_000}`,
      status: index % 50 === 0 ? 404 : 200,
      bytes: 512 + (index % 64) * 8,
      agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0',
    }),
  )

const cases: readonly BombTrial[] = [
  {
    name: 'bomb-zstd',
    finding: 'a zstd batch of 64 kB that becomes 1.5 GB',
    partitions: 1,
    times: 1,
    bomb: { codec: 'zstd', records: 1_500, valueOf: zeros(1_000_000) },
  },
  {
    name: 'bomb-many-records',
    finding: 'two batches below 1 MB that become 250,000 records of 4 kB each',
    partitions: 1,
    times: 2,
    bomb: { codec: 'zstd', records: 250_000, valueOf: zeros(4_096) },
  },
  {
    name: 'bomb-gzip-8-partitions',
    finding: 'gzip batches of 200 kB that become 200 MB, in 8 partitions',
    partitions: 8,
    times: 1,
    bomb: { codec: 'gzip', records: 200, valueOf: zeros(1_000_000) },
  },
  {
    name: 'bomb-zstd-wide-8-partitions',
    finding: 'zstd batches of 200 MB whose decompressors keep 128 MB each, in 8 partitions',
    partitions: 8,
    times: 1,
    bomb: { codec: 'zstd', windowLog: 27, records: 200, valueOf: zeros(1_000_000) },
  },
  {
    name: 'dense-logs-48-partitions',
    finding: 'access logs as JSON whose zstd batches become 20 times as large, in 48 partitions',
    partitions: 48,
    times: 2,
    bomb: { codec: 'zstd', records: 60_000, valueOf: logLine },
  },
]

const run = async (each: BombTrial, { brokers, directory, log }: TrialContext): Promise<TrialResult> => {
  const topic = `${each.name}-${process.pid}`
  await using client = new TopicClient(brokers)
  await client.create({ name: topic, partitions: each.partitions })
  const batch = await bombOf(each.bomb)
  log(`${topic}: ${each.partitions} x ${each.times} batches of ${batch.length} bytes`)
  for (let time = 0; time < each.times; time++) await sendBatch(brokers, topic, each.partitions, batch)
  const records = each.partitions * each.times * each.bomb.records
  const program = join(import.meta.dirname, 'bombs', 'counter.ts')
  await using counter = runProcess(process.execPath, [
    '--max-semi-space-size=32',
    ...[program, brokers, topic, String(records), directory],
  ])
  const line = await counter.waitForLine(/^\{/, 240_000)
  const { rssMb } = JSON.parse(line) as { readonly rssMb: number }
  return { passed: rssMb < maxRssMb, measured: `batch ${batch.length} bytes: ${line}` }
}

export const trials: readonly Trial[] = cases.map((each) => ({
  name: each.name,
  finding: each.finding,
  bound: `every record is counted in less than ${maxRssMb} MB of resident memory`,
  needs: 'kafka',
  run: (context) => run(each, context),
}))
