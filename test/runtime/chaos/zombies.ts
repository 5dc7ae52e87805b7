import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ChaosRun } from './chaos-run.ts'
import { pause } from './chaos-run.ts'
import type { Member } from './member.ts'
import { OutcomeReader } from './outcome-reader.ts'

/** Processes that hang in the middle of their work and come back, and two that take themselves for the same one. */
/** No process that works leaves a transaction open for so long; its outputs keep those behind them back that long. */
const openForMs = 1_200

/** Stops a member in a transaction that holds outputs of it: nobody sees them, though it has stood still for a while. */
export const stopInTransaction = async (
  run: ChaosRun,
  brokers: string,
  member: Member,
  tries = 40,
): Promise<void> => {
  for (let left = tries; left > 0; left--) {
    member.stop()
    const unseen = (): Promise<number> => unseenOutputs(run, brokers, member.pid)
    if ((await unseen()) > 0) {
      await pause(openForMs)
      if ((await unseen()) > 0) return
    }
    member.continue()
    await pause(37)
  }
  throw new Error(`${member.name} was never stopped in a transaction`)
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
