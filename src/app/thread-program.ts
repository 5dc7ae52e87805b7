import { parentPort, workerData } from 'node:worker_threads'
import { AssertionFailed } from '../base/assert.ts'
import { systemClock } from '../base/system-clock.ts'
import type { ApplicationMember } from '../runtime/application-member.ts'
import type { UncaughtFailureResponse } from '../runtime/uncaught-failure.ts'
import type { CreatedMemberHost } from './create-member.ts'
import { createMember } from './create-member.ts'
import type { FromThread, ThreadStart, ToThread } from './thread-protocol.ts'
import { errorTextOf } from './thread-protocol.ts'
import { failureHandlerOfModule, topologyOfModule } from './topology-module.ts'

/**
 * The program of a worker thread: imports the module of its topology for itself, runs a member of its own, and reports to the
 * main thread what happens. `thread-handle.ts` is the other end.
 */
const statusIntervalMs = 200

if (parentPort === null) throw new AssertionFailed('this is the program of a worker thread')
const main = parentPort
const say: (message: FromThread) => void = main.postMessage.bind(main)

const { module, topology: name, settings, place } = workerData as ThreadStart
const failureResponse = Promise.withResolvers<UncaughtFailureResponse>()

const sendStatus = (member: ApplicationMember): void => {
  const { metrics, health, tasks, taskCounts, metadata, inputTopics, internalTopics } = member
  const status = { metrics, health, tasks, taskCounts, metadata, inputTopics, internalTopics }
  say({ type: 'status', status })
}

const runMember = async (): Promise<ApplicationMember> => {
  const topology = await topologyOfModule({ module, topology: name })
  const onFailedRecord = await failureHandlerOfModule(module)
  const host: CreatedMemberHost = {
    responseToFailure: () => failureResponse.promise,
    listener: {
      onState: (state) => {
        sendStatus(member)
        const failure = state === 'failed' ? errorTextOf(member.failure) : undefined
        say({ type: 'state', state, failure })
      },
      onWarning: (message, fields) => say({ type: 'warning', message, fields }),
      onRestore: (progress) => say({ type: 'restore', progress }),
    },
  }
  const member: ApplicationMember = createMember(topology, settings, place, systemClock, host, onFailedRecord)
  return member
}

const reportWhileItRuns = (member: ApplicationMember): void => {
  sendStatus(member)
  systemClock.setTimer(() => reportWhileItRuns(member), statusIntervalMs)
}

const working = runMember()

/** A module that can't be loaded is reported by the start. */
const ignore = (): void => {}

/** Says how a piece of work ended. */
const answer = async (type: 'started' | 'closed', work: () => Promise<void>): Promise<void> => {
  try {
    await work()
    say({ type, error: undefined })
  } catch (error) {
    say({ type, error: errorTextOf(error) })
  }
}

const startMember = (): Promise<void> =>
  answer('started', async () => {
    const member = await working.catch((error: unknown) => {
      say({ type: 'state', state: 'failed', failure: errorTextOf(error) })
      throw error
    })
    await member.start()
    reportWhileItRuns(member)
  })

const closeMember = (options: Parameters<ApplicationMember['close']>[0]): Promise<void> =>
  answer('closed', async () => {
    const member = await working.catch(() => undefined)
    if (member === undefined) return
    try {
      await member.close(options)
    } finally {
      sendStatus(member)
    }
  })

const readStore = async ({ id, request, isolation }: ToThread & { type: 'read' }): Promise<void> => {
  try {
    const member = await working
    say({ type: 'page', id, page: await member.readStore(request, isolation) })
  } catch (error) {
    say({ type: 'page', id, page: errorTextOf(error) })
  }
}

main.on('message', (message: ToThread) => {
  switch (message.type) {
    case 'start':
      void startMember()
      break
    case 'pause':
    case 'resume':
      void working.then((member) => member[message.type](), ignore)
      break
    case 'read':
      void readStore(message)
      break
    case 'failureResponse':
      failureResponse.resolve(message.response)
      break
    case 'stopApplication':
      void working.then((member) => member.stopApplication(message.reason), ignore)
      break
    case 'close':
      void closeMember(message.options)
      break
  }
})
