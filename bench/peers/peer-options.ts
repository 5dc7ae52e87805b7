import { parseArgs } from 'node:util'
import { guarantees, workloads, type Guarantee, type Workload } from './workloads.ts'

/**
 * The command line that Millrace's run and every peer take, so that the runner starts them alike:
 *
 *     node bench/peers/kafkajs-loop.ts --brokers 127.0.0.1:19092 --workload W1 --records 1000000
 *
 * The topics are there already: `bench/main.ts` makes them, and takes away what a run has made.
 */
export interface PeerOptions {
  readonly brokers: string
  readonly workload: Workload
  /** Orders to process; the run is over when they are. */
  readonly records: number
  /** Names the group, the stores' topics and `<application id>-output`. */
  readonly applicationId: string
  readonly guarantee: Guarantee
  readonly commitIntervalMs: number
  /** Larger batches and caches than the peer's defaults, where it has such settings. */
  readonly tuned: boolean
}

/** The one line of JSON that a run prints when it is done. */
export interface PeerResult {
  readonly peer: string
  readonly version: string
  /** From the first record processed to the last one committed. */
  readonly seconds: number
  readonly recordsPerSecond: number
  /** Of the process over that time. */
  readonly cpuMicrosPerRecord: number
  /** Of the process in all, start-up spread over the records. */
  readonly cpuMicrosPerRecordWithStartUp: number
  /** From the first record to half of the records, while the compiler still warms up. */
  readonly coldRecordsPerSecond?: number
  readonly coldCpuMicrosPerRecord?: number
  /** From half of the records to the last commit. */
  readonly warmRecordsPerSecond?: number
  readonly warmCpuMicrosPerRecord?: number
  readonly peakRssMb: number
  /** W6: how long the changelog took, and how long it was from the new start to the first record processed. */
  readonly restoreSeconds?: number
  readonly restartSeconds?: number
  /** W8, W9: what a quiet worker takes of one core. */
  readonly percentOfCore?: number
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

export const oneOf = <T extends string>(name: string, allowed: readonly T[], value: string): T => {
  const found = allowed.find((each) => each === value)
  if (found === undefined) throw new Error(`--${name} is ${value}, and must be one of ${allowed.join(', ')}`)
  return found
}

export const positive = (name: string, value: string): number => {
  const number = Number(value)
  if (!Number.isInteger(number) || number <= 0)
    throw new Error(`--${name} is ${value}, and must be a whole number above 0`)
  return number
}
