import { expect, it } from 'vitest'
import type { UncaughtFailureHandler } from '../../src/app/supervisor.ts'
import { Supervisor } from '../../src/app/supervisor.ts'
import type { FailureReport } from '../../src/app/application-log.ts'
import type { SupervisedMember, MemberHost } from '../../src/app/supervised-member.ts'
import { noMetrics } from '../../src/app/supervised-member.ts'
import { noStatus } from '../../src/app/thread-protocol.ts'
import { ManualClock } from '../../src/base/manual-clock.ts'
import type { CloseOptions } from '../../src/runtime/application-member.ts'
import { string, topic, topology } from '../../src/index.ts'

/** A member whose start ends when the test says so, and rejects when it is closed before. */
class FakeMember implements SupervisedMember {
  readonly #status = noStatus(noMetrics)
  readonly started = Promise.withResolvers<void>()
  failure: unknown
  readonly host: MemberHost

  constructor(host: MemberHost) {
    this.host = host
  }

  readonly metrics = this.#status.metrics
  readonly health = this.#status.health
  readonly tasks = this.#status.tasks
  readonly taskCounts = this.#status.taskCounts
  readonly metadata = this.#status.metadata
  readonly inputTopics = this.#status.inputTopics
  readonly internalTopics = this.#status.internalTopics
  start = (): Promise<void> => this.started.promise
  readStore = (): Promise<never> => Promise.reject(new Error('there is no store'))
  pause = (): void => {}
  resume = (): void => {}
  stopApplication = (): void => {}
  close = (_options?: CloseOptions): Promise<void> => {
    this.started.reject(new Error('closed before it had started'))
    return Promise.resolve()
  }

  fail(failure: unknown): void {
    this.failure = failure
    this.host.listener.onState?.('failed')
  }
}

const two = topology('two', (builder) => builder.stream(topic('input', { value: string })).forEach(() => {}))

/** A supervisor of one started member. */
const supervised = async (
  onUncaughtFailure: UncaughtFailureHandler,
): Promise<{ supervisor: Supervisor<FakeMember>; member: FakeMember; warnings: string[] }> => {
  const members: FakeMember[] = []
  const warnings: string[] = []
  const supervisor = new Supervisor({
    topology: two,
    clock: new ManualClock(),
    count: 1,
    createMember: (_, host) => {
      members.push(new FakeMember(host))
      return members.at(-1) as FakeMember
    },
    listener: { onWarning: (message) => warnings.push(message) },
    onFailure: () => {},
    onUncaughtFailure,
    maxReplacementsPerMinute: 1,
    release: () => {},
  })
  const member = members[0] as FakeMember
  member.started.resolve()
  await supervisor.start()
  return { supervisor, member, warnings }
}

it.each([
  [
    'throws',
    () => {
      throw new Error('no answer')
    },
    'onUncaughtFailure has failed: no answer',
  ],
  ['returns a promise', () => Promise.reject(new Error('late')), 'onUncaughtFailure returned a promise'],
  ['returns nothing', () => undefined, 'onUncaughtFailure returned undefined'],
  ['returns what there is not', () => 'restart', "onUncaughtFailure returned the text 'restart'"],
])(
  'an application whose onUncaughtFailure %s stops, and a warning says why',
  async (_what, handler, text) => {
    const { supervisor, member, warnings } = await supervised(handler as never)
    const failure = new Error('a bad record')
    member.fail(failure)
    await expect(supervisor.done).rejects.toBe(failure)
    expect(supervisor.state).toBe('failed')
    expect(warnings).toEqual([expect.stringContaining(text)])
  },
)

it('done rejects with the failure also where close is called at once', async () => {
  const { supervisor, member } = await supervised(() => 'stopClient')
  const failure = new Error('a bad record')
  member.fail(failure)
  await supervisor.close()
  await expect(supervisor.done).rejects.toBe(failure)
})

it('the failure of a record is the cause, not the end of a thread that was still starting', async () => {
  const members: FakeMember[] = []
  const reports: FailureReport[] = []
  const supervisor = new Supervisor({
    topology: two,
    clock: new ManualClock(),
    count: 2,
    createMember: (_, host) => {
      const member = new FakeMember(host)
      members.push(member)
      return member
    },
    listener: {},
    onFailure: (report) => reports.push(report),
    onUncaughtFailure: () => 'stopClient',
    maxReplacementsPerMinute: 1,
    release: () => {},
  })
  const started = supervisor.start()
  const failure = new Error('a bad record')
  members[0]?.started.resolve()
  await Promise.resolve()
  await Promise.resolve()
  members[0]?.fail(failure)
  await expect(started).rejects.toBe(failure)
  await expect(supervisor.done).rejects.toBe(failure)
  expect(supervisor.failure).toBe(failure)
  expect(reports).toMatchObject([{ failure, isHandled: true }])
})

it('closing keeps its time also while a member that failed is being replaced', async () => {
  const { supervisor, member } = await supervised(() => 'replaceThread')
  const timeouts: (number | undefined)[] = []
  member.close = async (options: CloseOptions = {}) => {
    timeouts.push(options.timeoutMs)
    if (options.timeoutMs !== 10) await new Promise(() => undefined)
  }
  member.fail(new Error('a bad record'))
  await supervisor.close({ timeoutMs: 10 })
  expect(supervisor.state).toBe('closed')
  expect(timeouts).toEqual([30_000, 10])
})
