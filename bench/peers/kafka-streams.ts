import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ensureKafkaJars } from '../../test/support/kafka/kafka-jars.ts'
import { runToEnd } from '../../test/support/run-process.ts'
import { peerOptions, type PeerOptions } from './peer-options.ts'
import { countStore, joinWithinMs, keptFrom, topicsOf } from './workloads.ts'

/**
 * Kafka Streams as a peer: compiles `kafka-streams/KafkaStreamsPeer.java` against the jars that the tests use, and runs
 * it in a process of its own, which prints the result.
 */
const source = join(import.meta.dirname, 'kafka-streams/KafkaStreamsPeer.java')
const classes = resolve(import.meta.dirname, '../../.cache/bench/kafka-streams')

const main = async (options: PeerOptions): Promise<void> => {
  const jars = join(await ensureKafkaJars(), '*')
  mkdirSync(classes, { recursive: true })
  await runToEnd('javac', ['-d', classes, '-cp', jars, source], { deadlineMs: 60_000 })
  const classPath = ['-cp', `${classes}:${jars}`]
  const child = spawn('java', ['-Xmx1g', ...classPath, 'KafkaStreamsPeer', ...argumentsOf(options)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  process.exitCode = await new Promise((done, failed) => {
    child.once('error', failed)
    child.once('close', (code) => done(code ?? 1))
  })
}

const argumentsOf = (options: PeerOptions): string[] =>
  Object.entries({
    brokers: options.brokers,
    workload: options.workload,
    records: options.records,
    'application-id': options.applicationId,
    guarantee: options.guarantee,
    'commit-interval-ms': options.commitIntervalMs,
    tuned: options.tuned,
    ...topicsOf(options.workload, options.records, options.applicationId),
    'kept-from': keptFrom,
    'join-within-ms': joinWithinMs,
    store: countStore,
  }).flatMap(([name, value]) => [`--${name}`, String(value)])

await main(peerOptions())
