import module from 'node:module'
import { Worker } from 'node:worker_threads'
import type { ResourceLimits } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import { sleep } from '../base/clock.ts'
import { Fault, messageOf } from '../base/fault.ts'
import type { IsolationLevel } from '../kafka/list-offsets.ts'
import { storeNotHere } from '../runtime/store-not-here.ts'
import type { PageRequest, StorePage } from '../state/store-query.ts'
import type { CloseOptions } from '../runtime/application-member.ts'
import type { SupervisedMember, MemberHost } from './supervised-member.ts'
import { noMetrics } from './supervised-member.ts'
import type { ErrorText, FromThread, ThreadStart, ThreadStatus, ToThread } from './thread-protocol.ts'
import { errorOf, noStatus } from './thread-protocol.ts'
import type { ThreadSilenceOptions } from './thread-silence.ts'
import { ThreadSilence } from './thread-silence.ts'

/** The built program lies beside the built handle, the source beside the source. */
const program = new URL(import.meta.url.replace(/handle(\.[jt]s)$/, 'entry$1'))

/** A thread that has not closed this long after its time is ended as it is. */
const graceMs = 1_000

export interface ThreadOptions {
  readonly start: ThreadStart
  readonly name: string
  readonly clock: Clock
  readonly resourceLimits: ResourceLimits
}

/**
 * The main thread's end of a worker thread. It shows the last status that the thread sent; a thread that
 * exits unexpectedly (out of memory, an uncaught exception) is a failed member.
 */
export class ThreadHandle implements SupervisedMember {
  readonly #options: ThreadOptions
  readonly #host: MemberHost
  readonly #started = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<void>()
  readonly #exited = Promise.withResolvers<void>()
  #thread: Worker | undefined
  #silence: ThreadSilence | undefined
  #status: ThreadStatus = noStatus(noMetrics)
  #failure: unknown
  /** Reads that wait for their page, by number. */
  readonly #reads = new Map<number, PromiseWithResolvers<StorePage>>()
  #readCount = 0
  #paused = false
  #isGone = false
  /** True once it was asked to close, or has failed: its end is then no surprise. */
  #isEnding = false

  constructor(options: ThreadOptions, host: MemberHost) {
    this.#options = options
    this.#host = host
    // The callers of start and close get the error; a thread that ends by itself reports its state.
    this.#started.promise.catch(() => undefined)
    this.#closed.promise.catch(() => undefined)
  }

  get failure(): unknown {
    return this.#failure
  }

  get isGone(): boolean {
    return this.#isGone
  }

  get metrics(): ThreadStatus['metrics'] {
    return this.#status.metrics
  }

  get health(): ThreadStatus['health'] {
    return this.#status.health
  }

  get tasks(): ThreadStatus['tasks'] {
    return this.#status.tasks
  }

  get taskCounts(): ThreadStatus['taskCounts'] {
    return this.#status.taskCounts
  }

  get metadata(): ThreadStatus['metadata'] {
    return this.#status.metadata
  }

  get inputTopics(): ThreadStatus['inputTopics'] {
    return this.#status.inputTopics
  }

  get internalTopics(): ThreadStatus['internalTopics'] {
    return this.#status.internalTopics
  }

  start(): Promise<void> {
    const { start, name, resourceLimits } = this.#options
    const compileCacheDirectory = module.getCompileCacheDir()
    const thread = new Worker(program, {
      workerData: { ...start, compileCacheDirectory },
      name,
      resourceLimits,
    })
    this.#thread = thread
    const { clock } = this.#options
    const onWarning: ThreadSilenceOptions['onWarning'] = (...warning) =>
      this.#host.listener.onWarning?.(...warning)
    this.#silence = new ThreadSilence({ name, clock, onWarning })
    thread.on('message', (message: FromThread) => {
      this.#silence?.heard(message.type === 'started')
      this.#hear(message)
    })
    thread.on('error', (error) => (this.#failure ??= error))
    thread.on('exit', (exitCode) => this.#exit(exitCode))
    this.#say({ type: 'start' })
    if (this.#paused) this.#say({ type: 'pause' })
    return this.#started.promise
  }

  pause(): void {
    this.#paused = true
    this.#say({ type: 'pause' })
  }

  resume(): void {
    this.#paused = false
    this.#say({ type: 'resume' })
  }

  readStore(request: PageRequest, isolation: IsolationLevel): Promise<StorePage> {
    if (this.#thread === undefined || this.#isGone) return Promise.reject(storeNotHere(request))
    const id = ++this.#readCount
    const read = Promise.withResolvers<StorePage>()
    this.#reads.set(id, read)
    this.#say({ type: 'read', id, request, isolation })
    return read.promise
  }

  stopApplication(reason: string): void {
    this.#say({ type: 'stopApplication', reason })
  }

  async close(options: CloseOptions = {}): Promise<void> {
    const thread = this.#thread
    if (thread === undefined || this.#isGone) return
    this.#isEnding = true
    this.#say({ type: 'close', options })
    try {
      await this.#closedWithin(options.timeoutMs)
    } finally {
      await thread.terminate()
      await this.#exited.promise
    }
  }

  /** A thread that is busy for good can't answer; it is left to be ended. */
  async #closedWithin(timeoutMs: number | undefined): Promise<void> {
    if (timeoutMs === undefined) return this.#closed.promise
    const done = new AbortController()
    const late = sleep(this.#options.clock, timeoutMs + graceMs, done.signal).then(() => 'late' as const)
    const first = await Promise.race([this.#closed.promise, late]).finally(() => done.abort())
    if (first === 'late') throw closedLate(this.#options.name, timeoutMs)
  }

  #say(message: ToThread): void {
    this.#thread?.postMessage(message)
  }

  #hear(message: FromThread): void {
    const { listener } = this.#host
    switch (message.type) {
      case 'status':
        this.#status = message.status
        break
      case 'warning':
        listener.onWarning?.(message.message, message.fields)
        break
      case 'restore':
        listener.onRestore?.(message.progress)
        break
      case 'state':
        if (message.failure === undefined) listener.onState?.(message.state)
        else this.#fail(errorOf(message.failure))
        break
      case 'page':
        this.#answer(message.id, message.page)
        break
      case 'started':
        settle(this.#started, message.error)
        break
      case 'closed':
        settle(this.#closed, message.error)
        break
    }
  }

  #fail(failure: unknown): void {
    const { listener, responseToFailure } = this.#host
    this.#isEnding = true
    this.#failure = failure
    listener.onState?.('failed')
    this.#say({ type: 'failureResponse', response: responseToFailure() })
  }

  #answer(id: number, page: StorePage | ErrorText): void {
    const read = this.#reads.get(id)
    this.#reads.delete(id)
    if ('rows' in page) read?.resolve(page)
    else read?.reject(errorOf(page))
  }

  /** The end of the thread, whether it was asked to end or not. */
  #exit(exitCode: number): void {
    this.#silence?.close()
    const isSurprise = !this.#isEnding
    this.#isGone = true
    this.#exited.resolve()
    this.#closed.resolve()
    for (const read of this.#reads.values()) read.reject(readOfEndedThread(this.#options.name))
    this.#reads.clear()
    // Settled already where it has started: a caller must not wait for the start of a thread that is gone.
    if (!isSurprise) return this.#started.reject(closedWhileStarting(this.#options.name))
    const failure = crashed(this.#options.name, exitCode, this.#failure)
    this.#started.reject(failure)
    this.#fail(failure)
  }
}

const settle = (promise: PromiseWithResolvers<void>, error: ErrorText | undefined): void => {
  if (error === undefined) promise.resolve()
  else promise.reject(errorOf(error))
}

const crashed = (name: string, exitCode: number, cause: unknown): Fault =>
  new Fault({
    code: 'WORKER_THREAD_CRASHED',
    actor: 'runtime',
    message: `worker thread ${name} has ended${cause === undefined ? ` with exit code ${exitCode}` : `: ${messageOf(cause)}`}`,
    cause,
  })

const closedWhileStarting = (name: string): Fault =>
  new Fault({
    code: 'APPLICATION_CLOSED',
    actor: 'runtime',
    message: `worker thread ${name} has been closed before it had started`,
  })

const readOfEndedThread = (name: string): Fault =>
  new Fault({
    code: 'STORE_NOT_READY',
    actor: 'retry',
    message: `worker thread ${name} has ended before it answered`,
    remedy: 'ask again in a moment',
  })

const closedLate = (name: string, timeoutMs: number): Fault =>
  new Fault({
    code: 'CLOSE_TIMED_OUT',
    actor: 'runtime',
    message: `worker thread ${name} did not answer within ${timeoutMs} ms and has been ended`,
    remedy: 'what it had not committed is processed again after the next start',
  })
