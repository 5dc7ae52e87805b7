import { parentPort, workerData } from 'node:worker_threads'
import { AssertionFailed } from '../base/assert.ts'
import { systemClock } from '../base/system-clock.ts'
import type { StreamsApplication } from '../runtime/streams-application.ts'
import type { UncaughtFailureResponse } from '../runtime/uncaught-failure.ts'
import type { StreamsWorkerHost } from './streams-worker.ts'
import { createStreamsWorker } from './streams-worker.ts'
import type { FromThread, ThreadStart, ToThread } from './thread-protocol.ts'
import { errorTextOf } from './thread-protocol.ts'
import { failureHandlerOfModule, topologyOfModule } from './topology-module.ts'

/**
 * The program of a worker thread: imports the module of its topology for itself, runs a worker of its own, and tells the
 * main thread what happens. `thread-handle.ts` is the other end.
 */
const statusIntervalMs = 200

if (parentPort === null) throw new AssertionFailed('this is the program of a worker thread')
const main = parentPort
const say: (message: FromThread) => void = main.postMessage.bind(main)

const { module, topology: name, settings, place } = workerData as ThreadStart
const verdict = Promise.withResolvers<UncaughtFailureResponse>()

const tellStatus = (worker: StreamsApplication): void => {
  const { metrics, health, tasks, taskCounts, metadata, inputTopics, internalTopics } = worker
  const status = { metrics, health, tasks, taskCounts, metadata, inputTopics, internalTopics }
  say({ type: 'status', status })
}

const runWorker = async (): Promise<StreamsApplication> => {
  const topology = await topologyOfModule({ module, topology: name })
  const onFailedRecord = await failureHandlerOfModule(module)
  const host: StreamsWorkerHost = {
    judge: () => verdict.promise,
    listener: {
      onState: (state) => {
        tellStatus(worker)
        const failure = state === 'failed' ? errorTextOf(worker.failure) : undefined
        say({ type: 'state', state, failure })
      },
      onWarning: (message, fields) => say({ type: 'warning', message, fields }),
      onRestore: (progress) => say({ type: 'restore', progress }),
    },
  }
  const worker: StreamsApplication = createStreamsWorker(
    topology,
    settings,
    place,
    systemClock,
    host,
    onFailedRecord,
  )
  return worker
}

const reportWhileItRuns = (worker: StreamsApplication): void => {
  tellStatus(worker)
  systemClock.setTimer(() => reportWhileItRuns(worker), statusIntervalMs)
}

const working = runWorker()

/** A module that can't be loaded is told by the start. */
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

const startWorker = (): Promise<void> =>
  answer('started', async () => {
    const worker = await working.catch((error: unknown) => {
      say({ type: 'state', state: 'failed', failure: errorTextOf(error) })
      throw error
    })
    await worker.start()
    reportWhileItRuns(worker)
  })

const closeWorker = (options: Parameters<StreamsApplication['close']>[0]): Promise<void> =>
  answer('closed', async () => {
    const worker = await working.catch(() => undefined)
    if (worker === undefined) return
    try {
      await worker.close(options)
    } finally {
      tellStatus(worker)
    }
  })

const readStore = async ({ id, request, isolation }: ToThread & { type: 'read' }): Promise<void> => {
  try {
    const worker = await working
    say({ type: 'page', id, page: await worker.readStore(request, isolation) })
  } catch (error) {
    say({ type: 'page', id, page: errorTextOf(error) })
  }
}

main.on('message', (message: ToThread) => {
  switch (message.type) {
    case 'start':
      void startWorker()
      break
    case 'pause':
    case 'resume':
      void working.then((worker) => worker[message.type](), ignore)
      break
    case 'read':
      void readStore(message)
      break
    case 'verdict':
      verdict.resolve(message.verdict)
      break
    case 'stopApplication':
      void working.then((worker) => worker.stopApplication(message.reason), ignore)
      break
    case 'close':
      void closeWorker(message.options)
      break
  }
})
