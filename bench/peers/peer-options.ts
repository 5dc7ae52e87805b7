import { parseArgs } from 'node:util'
import { guarantees, workloads, type Guarantee, type Workload } from './workloads.ts'

/**
 * The command line that every peer takes, so that a runner starts them alike:
 *
 *     node bench/peers/kafkajs-loop.ts --brokers 127.0.0.1:19092 --workload W1 --records 1000000
 */
export interface PeerOptions {
  readonly brokers: string
  readonly workload: Workload
  readonly records: number
  /** Names the group, the stores' topics and `<application id>-output`; new for each run unless given. */
  readonly applicationId: string
  readonly guarantee: Guarantee
  readonly commitIntervalMs: number
  /** Larger batches and caches than the peer's defaults, where it has such settings. */
  readonly tuned: boolean
}

/** The one line of JSON that a peer prints when it is done. */
export interface PeerResult {
  readonly peer: string
  readonly version: string
  readonly workload: Workload
  readonly guarantee: Guarantee
  readonly tuned: boolean
  readonly commitIntervalMs: number
  readonly records: number
  /** The end of the output topic: its records, and under exactly-once a marker for each transaction. */
  readonly outputEndOffset: number
  /** From the first record processed to the last one committed. */
  readonly seconds: number
  readonly recordsPerSecond: number
  /** Of the peer's process over that time. */
  readonly cpuMicrosPerRecord: number
  /** Of the peer's process in all, start-up spread over the records. */
  readonly cpuMicrosPerRecordWithStartUp: number
  readonly peakRssMb: number
}

/** Reads the command line. */
export const peerOptions = (args: readonly string[] = process.argv.slice(2)): PeerOptions => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      brokers: { type: 'string', default: '127.0.0.1:9092' },
      workload: { type: 'string', default: 'W1' },
      records: { type: 'string', default: '1000000' },
      'application-id': { type: 'string', default: `bench-${crypto.randomUUID().slice(0, 8)}` },
      guarantee: { type: 'string', default: 'at-least-once' },
      'commit-interval-ms': { type: 'string', default: '100' },
      tuned: { type: 'boolean', default: false },
    },
  })
  return {
    brokers: values.brokers,
    workload: oneOf('workload', workloads, values.workload),
    records: positive('records', values.records),
    applicationId: values['application-id'],
    guarantee: oneOf('guarantee', guarantees, values.guarantee),
    commitIntervalMs: positive('commit-interval-ms', values['commit-interval-ms']),
    tuned: values.tuned,
  }
}

const oneOf = <T extends string>(name: string, allowed: readonly T[], value: string): T => {
  const found = allowed.find((each) => each === value)
  if (found === undefined) throw new Error(`--${name} is ${value}, and must be one of ${allowed.join(', ')}`)
  return found
}

const positive = (name: string, value: string): number => {
  const number = Number(value)
  if (!Number.isInteger(number) || number <= 0)
    throw new Error(`--${name} is ${value}, and must be a whole number above 0`)
  return number
}
