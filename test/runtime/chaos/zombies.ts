import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isFault } from '../../../src/base/fault.ts'
import { systemClock } from '../../../src/base/system-clock.ts'
import { Cluster } from '../../../src/kafka/cluster.ts'
import { TcpTransport } from '../../../src/kafka/connection/tcp-transport.ts'
import { fetchOffsets } from '../../../src/kafka/group/offsets.ts'
import type { ChaosRun } from './chaos-run.ts'
import { pause } from './chaos-run.ts'
import type { Member } from './member.ts'
import { OutcomeReader } from './outcome-reader.ts'

/** Processes that hang in the middle of their work and come back, and two that take themselves for the same one. */
/** No process that works leaves a transaction open for so long; its outputs keep those behind them back that long. */
const openForMs = 1_200

/**
 * Stops a member in a transaction that holds outputs of it and no offsets yet. With its offsets in, the next owner of the
 * tasks waits for it, and it may still commit when it continues: then it is no zombie.
 */
export const stopInTransaction = async (
  run: ChaosRun,
  brokers: string,
  member: Member,
  groupId: string,
  tries = 40,
): Promise<void> => {
  for (let left = tries; left > 0; left--) {
    member.stop()
    const unseen = (): Promise<number> => unseenOutputs(run, brokers, member.pid)
    if ((await unseen()) > 0) {
      await pause(openForMs)
      if ((await unseen()) > 0 && !(await hasPendingOffsets(brokers, groupId))) return
    }
    member.continue()
    await pause(37)
  }
  throw new Error(`${member.name} was never stopped in a transaction`)
}

/** True where offsets of the group are in a transaction that stays open. */
const hasPendingOffsets = async (brokers: string, groupId: string): Promise<boolean> => {
  const transport = new TcpTransport({ brokers, clientId: 'zombies' })
  try {
    const cluster = new Cluster({ transport, clock: systemClock })
    await fetchOffsets(cluster, groupId, { requireStable: true, timeoutMs: 1_000 })
    return false
  } catch (error) {
    if (isFault(error) && error.message.includes('UNSTABLE_OFFSET_COMMIT')) return true
    throw error
  } finally {
    await transport.close()
  }
}

/** How many outputs a process wrote that nobody who reads what is committed ever sees. */
export const unseenOutputs = async (run: ChaosRun, brokers: string, pid: number): Promise<number> => {
  const everything = new OutcomeReader(brokers, 'read_uncommitted')
  everything.start()
  await everything.toTheEnd(30_000)
  await everything.close()
  const madeBy = ({ copies, counts }: Pick<OutcomeReader, 'copies' | 'counts'>): number =>
    [...copies, ...counts].filter((each) => each.pid === pid).length
  return madeBy(everything) - madeBy(run.reader)
}

/** Gives a new member the name in transactions of an old one that lives. */
export const stealIdentity = (run: ChaosRun, application: string, from: Member, to: Member): void => {
  const place = (member: Member): string => join(run.stateDirectory(member.name), application, 'process-0')
  mkdirSync(place(to), { recursive: true })
  cpSync(join(place(from), 'process-id'), join(place(to), 'process-id'))
}
