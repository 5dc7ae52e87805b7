import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StartedKafka } from '../../support/kafka/started-kafka.ts'
import { TopicClient } from '../../support/topic-client.ts'
import { LoadWriter } from './load-writer.ts'
import { Member } from './member.ts'
import type { Outcome } from './outcome.ts'
import { problemsAtLeastOnce, problemsExactlyOnce } from './outcome.ts'
import { OutcomeReader } from './outcome-reader.ts'
import type { PlannedDisturbance } from './plan.ts'
import type { Disturbance as Mark } from './progress.ts'
import { restoreFindings } from './restores.ts'
import type { MemberSettings } from './telling.ts'
import { copies, counts, events } from './topology.ts'

/**
 * A group of processes under load on a broker of its own: members to hurt, a writer that goes on meanwhile, a reader
 * that sees what a service behind the application would see, and at the end a verdict.
 *
 * @example
 * await using run = await ChaosRun.start(kafka, { guarantee: 'exactly_once', seed: 7 })
 * await run.disturb(planOf(7, run.members.length, { kills: 5, … }))
 * expect(await run.finish()).toEqual([])
 */
export interface ChaosRunOptions {
  readonly guarantee: 'exactly_once' | 'at_least_once'
  readonly seed: number
  readonly members?: number
  /** Members that keep their name in the group over a restart: the last ones. */
  readonly staticMembers?: number
  readonly ratePerSecond?: number
  /** Instead of those that make crashes noticed soon. */
  readonly settings?: Partial<MemberSettings>
  readonly tell?: (line: string) => void
}

/** The broker allows short sessions, looks often for transactions that are over time, and is soon back after a crash. */
export const chaosBroker = {
  'group.min.session.timeout.ms': '1000',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
  'broker.session.timeout.ms': '2000',
  'broker.heartbeat.interval.ms': '500',
}

export const sessionTimeoutMs = 3_000

export const settingsUnderChaos: Partial<MemberSettings> = {
  sessionTimeoutMs,
  heartbeatIntervalMs: 300,
  commitIntervalMs: 50,
}

export class ChaosRun implements AsyncDisposable {
  readonly members: Member[]
  readonly marks: Mark[] = []
  readonly reader: OutcomeReader
  readonly #kafka: StartedKafka
  readonly #options: ChaosRunOptions
  readonly #folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'))
  readonly #load: LoadWriter
  readonly #returns = new Set<Promise<void>>()
  readonly #problems: string[] = []

  private constructor(kafka: StartedKafka, options: ChaosRunOptions) {
    const { members = 3, staticMembers = 1, seed, ratePerSecond = 1_000 } = options
    this.#kafka = kafka
    this.#options = options
    this.members = Array.from({ length: members }, (_, place) =>
      this.#member(
        `p${place}`,
        place >= members - staticMembers ? { groupInstanceId: `place-${place}` } : {},
      ),
    )
    this.#load = new LoadWriter(kafka.brokers, { seed, ratePerSecond })
    this.reader = new OutcomeReader(kafka.brokers)
  }

  static async start(kafka: StartedKafka, options: ChaosRunOptions): Promise<ChaosRun> {
    await createTopics(kafka.brokers)
    const run = new ChaosRun(kafka, options)
    for (const member of run.members) member.start()
    run.#load.start()
    run.reader.start()
    await Promise.all(run.members.map((member) => member.running()))
    return run
  }

  get outcome(): Outcome {
    return { words: this.#load.words, copies: this.reader.copies, counts: this.reader.counts }
  }

  /** One more member, with a state directory of its own; to be started. */
  addMember(name: string, settings: Partial<MemberSettings> = {}): Member {
    const member = this.#member(name, settings)
    this.members.push(member)
    return member
  }

  #member(name: string, settings: Partial<MemberSettings>): Member {
    const { guarantee } = this.#options
    return new Member({
      name,
      settings: {
        bootstrapServers: this.#kafka.brokers,
        applicationId: applicationOf(guarantee),
        processingGuarantee: guarantee,
        stateDirectory: this.stateDirectory(name),
        ...(this.#options.settings ?? settingsUnderChaos),
        ...settings,
      },
    })
  }

  stateDirectory(name: string): string {
    return join(this.#folder, name)
  }

  /** Resolves once this process has made an output that a reader sees, and that is newer than that. */
  async hasWorked(pid: number, sinceMs: number, timeoutMs: number): Promise<void> {
    const deadlineMs = Date.now() + timeoutMs
    const isIts = (made: { readonly pid: number; readonly appendedMs: number }): boolean =>
      made.pid === pid && made.appendedMs > sinceMs
    while (!this.reader.copies.some(isIts) && !this.reader.counts.some(isIts)) {
      if (Date.now() > deadlineMs)
        throw new Error(`process ${pid} made nothing in ${timeoutMs} ms:\n${this.story(40)}`)
      await pause(50)
    }
  }

  /** Notes that something happens now. */
  mark(what: string): void {
    this.marks.push({ what, atMs: Date.now() })
    this.#options.tell?.(`${new Date().toISOString().slice(11, 23)} ${what}`)
  }

  /** Does what the plan says, one after the other; what comes back does so meanwhile. */
  async disturb(plan: readonly PlannedDisturbance[]): Promise<void> {
    for (const { disturbance, place, afterMs } of plan) {
      await pause(afterMs)
      switch (disturbance.kind) {
        case 'kill':
          await this.#hit(place, disturbance.downMs, 'SIGKILL', (member) => member.kill())
          break
        case 'leave':
          await this.#hit(place, disturbance.downMs, 'leaves', (member) => member.leave())
          break
        case 'stop':
          this.#stop(place, disturbance.forMs)
          break
        case 'killBroker':
          await this.#killBroker(disturbance.downMs)
          break
        case 'restartBroker':
          this.mark('the broker is restarted')
          await this.#kafka.restart()
      }
    }
    while (this.#returns.size > 0) await Promise.all(this.#returns)
  }

  /** Ends the load, waits for its last effect, closes all in good order, and tells what is wrong. */
  async finish(timeoutMs = 120_000): Promise<readonly string[]> {
    this.mark('the load ends')
    await this.#load.stop()
    await this.reader.until(this.#load.words, timeoutMs).catch((error: unknown) => this.#problem(error))
    this.mark('all close')
    await Promise.all(this.members.map((member) => member.leave()))
    await this.reader.toTheEnd(30_000).catch((error: unknown) => this.#problem(error))
    const judge = this.#options.guarantee === 'exactly_once' ? problemsExactlyOnce : problemsAtLeastOnce
    const restores = this.members.map(({ name, tellings }) => restoreFindings(name, tellings))
    return [
      ...this.#problems,
      ...this.members.flatMap(({ unexpectedEnds }) => unexpectedEnds),
      ...restores.flatMap(({ problems }) => problems),
      ...judge(this.outcome),
    ]
  }

  /** What was done and what the members told about it, in the order of time: for whoever looks for a cause. */
  story(lastLines = Infinity): string {
    const told = this.members.flatMap((member) =>
      member
        .told()
        .map(({ atMs, ...telling }) => ({ atMs, line: `${member.name} ${JSON.stringify(telling)}` })),
    )
    const done = this.marks.map(({ atMs, what }) => ({ atMs, line: `=== ${what}` }))
    return [...told, ...done]
      .toSorted((left, right) => left.atMs - right.atMs)
      .slice(-lastLines)
      .map(({ atMs, line }) => `${new Date(atMs).toISOString().slice(11, 23)} ${line}`)
      .join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.members) member.continue()
    await Promise.all(this.members.map((member) => member.kill()))
    await this.#load.stop().catch(() => undefined)
    await this.reader.close().catch(() => undefined)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #hit(
    place: number,
    downMs: number,
    what: string,
    hurt: (member: Member) => Promise<void>,
  ): Promise<void> {
    const member = this.#upFrom(place)
    if (member === undefined) return
    this.mark(`${member.name} ${what}, back after ${downMs} ms`)
    const hurtNow = hurt(member)
    this.#later(async () => {
      await hurtNow
      await pause(downMs)
      member.start()
      await member.running().catch((error: unknown) => this.#problem(error))
    })
    await Promise.resolve()
  }

  #stop(place: number, forMs: number): void {
    const member = this.#upFrom(place)
    if (member === undefined) return
    this.mark(`${member.name} SIGSTOP for ${forMs} ms`)
    member.stop()
    this.#later(async () => {
      await pause(forMs)
      member.continue()
    })
  }

  async #killBroker(downMs: number): Promise<void> {
    this.mark(`the broker SIGKILL, back after ${downMs} ms`)
    await this.#kafka.kill('SIGKILL')
    await pause(downMs)
    await this.#kafka.restart()
  }

  #upFrom(place: number): Member | undefined {
    const { members } = this
    return members.map((_, index) => members[(place + index) % members.length]).find((each) => each?.isUp)
  }

  #later(work: () => Promise<void>): void {
    const running = work().finally(() => this.#returns.delete(running))
    this.#returns.add(running)
  }

  #problem(error: unknown): void {
    this.#problems.push(error instanceof Error ? error.message : String(error))
  }
}

export const applicationOf = (guarantee: string): string => `chaos-${guarantee.replaceAll('_', '-')}`

const createTopics = async (brokers: string): Promise<void> => {
  await using client = new TopicClient(brokers)
  await client.admin.createTopics(
    [events, copies, counts].map(({ name, partitions = 1 }) => ({
      topic: name,
      partitions,
      configs: name === events.name ? {} : { 'message.timestamp.type': 'LogAppendTime' },
    })),
  )
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
