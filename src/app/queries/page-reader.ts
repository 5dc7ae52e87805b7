import type { Observable } from 'rxjs'
import type { Clock } from '../../base/clock.ts'
import { Fault, isFault } from '../../base/fault.ts'
import type { OptionShape } from '../../base/options.ts'
import { flag, oneOf, wholeNumber } from '../../base/value-kinds.ts'
import type { StoreDirectory } from '../../runtime/store-directory.ts'
import { storeNotHere } from '../../runtime/store-not-here.ts'
import type { PageRequest, StorePage } from '../../state/store-query.ts'
import type { StreamRecord } from '../../topic/record.ts'
import type { StoreDefinition } from '../../topology/store-definition.ts'
import type { MemberClient } from './member-client.ts'
import type { ReadTimeout } from './read-timeout.ts'
import { within, retryWithin } from './read-timeout.ts'
import { checkAnswer } from './page-place.ts'
import type { PageTokens } from './page-token.ts'
import type { QueryHost } from './query-host.ts'
import type { WireRequest } from './wire.ts'

/** Options of a query: which processes may answer it, and how long it may take. */
export interface QueryOptions {
  /** `local` asks only the tasks of this process, without a retry; `application`, the default, asks the owner of the key. */
  readonly scope?: 'application' | 'local'
  /** Defaults to the setting `queryIsolation`. */
  readonly isolation?: 'read_committed' | 'read_uncommitted'
  /** How long to wait while the store moves or its owner does not answer; defaults to the setting `queryTimeoutMs`. */
  readonly timeoutMs?: number
  /**
   * True where a copy (`standbyReplicas`) may answer while the process that has the key can't be asked. What it answers is
   * committed, and may be a little behind.
   */
  readonly standby?: boolean
  /** The only partition to ask; for stores whose keys do not lie where Kafka's own partitioner would put them. */
  readonly partition?: number
}

export const queryOptions: OptionShape<QueryOptions> = {
  scope: oneOf('application', 'local'),
  isolation: oneOf('read_committed', 'read_uncommitted'),
  timeoutMs: wholeNumber,
  standby: flag,
  partition: wholeNumber,
}

export interface PageReaderOptions {
  readonly host: QueryHost
  readonly clock: Clock
  /** `host:port` that others know this process by. */
  readonly endpoint: () => string | undefined
  readonly isolation: WireRequest['isolation']
  readonly timeoutMs: number
  /** Asks other processes. */
  readonly members: MemberClient
  /** Where listings go on. */
  readonly tokens: PageTokens
  /** What changes in a store. */
  readonly changesOf: ChangesOf
}

export type ChangesOf = (
  definition: StoreDefinition,
  from: 'beginning' | 'latest',
) => Observable<StreamRecord<unknown, unknown>>

/** Finds pages of stores: in this process where its tasks have them, else at the process that does. */
export class PageReader {
  readonly host: QueryHost
  readonly #options: PageReaderOptions
  readonly #closing = new AbortController()

  constructor(options: PageReaderOptions) {
    this.host = options.host
    this.#options = options
  }

  /** Where stores are; not known before the application has its topics. */
  get directory(): StoreDirectory {
    const { storeDirectory, topology } = this.host
    if (storeDirectory === undefined) throw notReady(`application '${topology.name}' is starting`)
    return storeDirectory
  }

  /** What changes in a store; refused where it has no changelog. */
  get changesOf(): ChangesOf {
    return this.#options.changesOf
  }

  /** Calls `work`, and again while what it needs is on the move; not twice where only this process is asked. */
  patiently<T>(options: QueryOptions, work: (leftMs: number) => Promise<T>): Promise<T> {
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs
    const readTimeout = { ...this.#readTimeout(timeoutMs), once: options.scope === 'local' }
    return retryWithin(readTimeout, async (leftMs) => {
      if (this.#closing.signal.aborted || this.host.state === 'failed') throw closed(this.host.topology.name)
      return work(leftMs)
    })
  }

  /** One page, from wherever it is. */
  read(request: PageRequest, options: QueryOptions): Promise<StorePage> {
    const wanted = { ...request, isolation: options.isolation ?? this.#options.isolation }
    return this.patiently(options, async (leftMs) => {
      if (options.standby !== true) return this.#readActive(wanted, options, leftMs)
      try {
        return await this.#readActive(wanted, options, leftMs / 2)
      } catch (error) {
        if (!isFault(error) || error.actor !== 'retry') throw error
        return this.#readCopy({ ...wanted, copy: true }, options, leftMs / 2, error)
      }
    })
  }

  /** One page of what this process has itself: the answer to another process, which is never handed on. */
  async readHere(request: WireRequest): Promise<StorePage> {
    if (request.copy === true || this.isHere(request.store, request.partition))
      return this.#readHere(request, this.#options.timeoutMs)
    const owner = this.directory.ownersOf(request.store, request.partition).active
    throw storeNotHere(request, owner === this.#options.endpoint() ? undefined : owner)
  }

  /** The partitions of a store that are asked, in order. */
  partitionsOf(store: string, { scope, partition }: QueryOptions): readonly number[] {
    const { partitions } = this.directory.store(store)
    if (partition !== undefined) return [partition]
    const all = Array.from({ length: partitions }, (_, index) => index)
    return scope === 'local' ? all.filter((each) => this.isHere(store, each)) : all
  }

  get tokens(): PageTokens {
    return this.#options.tokens
  }

  /** Reads that wait fail with the closing of the application. */
  close(): void {
    this.#closing.abort()
    this.#options.members.close()
  }

  /** True where a task of this process has that partition. */
  isHere(store: string, partition: number): boolean {
    const { directory, host } = this
    const { isGlobal, partitions } = directory.store(store)
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitions)
      throw noPartition(store, partition, partitions)
    if (isGlobal) return host.state !== 'starting'
    return host.tasks.includes(directory.taskOf(store, partition) as string)
  }

  #readActive(request: WireRequest, options: QueryOptions, leftMs: number): Promise<StorePage> {
    return this.isHere(request.store, request.partition)
      ? this.#readHere(request, leftMs)
      : this.#readElsewhere(request, options, leftMs)
  }

  /** The copy of this process, or else one of another's; fails as the read of the store itself did. */
  async #readCopy(
    request: WireRequest,
    { scope }: QueryOptions,
    leftMs: number,
    failure: Fault,
  ): Promise<StorePage> {
    const { endpoint } = this.#options
    const { standbys } = this.directory.ownersOf(request.store, request.partition)
    const others = scope === 'local' ? [] : standbys.filter((each) => each !== endpoint())
    const timeoutMs = Math.max(leftMs / Math.max(1, others.length), shortestRequestMs)
    const attempts = [
      () => this.#readHere(request, leftMs),
      ...others.map((each) => () => this.#askMember(request, each, timeoutMs)),
    ]
    for (const attempt of attempts) {
      const page = await attempt().catch(() => undefined)
      if (page !== undefined) return page
    }
    throw failure
  }

  #readHere({ isolation, ...request }: WireRequest, leftMs: number): Promise<StorePage> {
    const read = this.host.readStore({ ...request, timeoutMs: leftMs }, isolation)
    // A read without a timeout is refused by its thread, which may be another one.
    return within(this.#readTimeout(leftMs > 0 ? leftMs : shortestRequestMs), read, () =>
      notReady(
        `store '${request.store}' holds what is not committed yet`,
        'ask again, or with isolation read_uncommitted',
      ),
    )
  }

  #readTimeout(timeoutMs: number): ReadTimeout {
    return { clock: this.#options.clock, timeoutMs, signal: this.#closing.signal }
  }

  #readElsewhere(request: WireRequest, { scope }: QueryOptions, leftMs: number): Promise<StorePage> {
    const { store, partition } = request
    const owner = this.directory.ownersOf(store, partition).active
    if (owner === undefined || owner === this.#options.endpoint())
      throw notReady(
        `no reachable process has partition ${partition} of store '${store}' now: it moves, or is being restored`,
        'ask again in a moment; every process needs an applicationServer to be asked by others',
      )
    if (scope === 'local') throw storeNotHere(request, owner)
    // Who does not want to wait still gives a request the time that it takes.
    return this.#askMember(request, owner, Math.max(leftMs, shortestRequestMs))
  }

  async #askMember(request: WireRequest, endpoint: string, timeoutMs: number): Promise<StorePage> {
    const { signal } = this.#closing
    const page = await this.#options.members.ask(request, { endpoint, timeoutMs, signal })
    checkAnswer(this.directory.store(request.store), request, page, endpoint)
    return page
  }
}

const shortestRequestMs = 500

export const notReady = (message: string, remedy = 'ask again in a moment'): Fault =>
  new Fault({ code: 'STORE_NOT_READY', actor: 'retry', message, remedy })

const closed = (name: string): Fault =>
  new Fault({
    code: 'APPLICATION_CLOSED',
    actor: 'runtime',
    message: `application '${name}' is closed or has failed, and answers no more queries`,
    remedy: 'ask another process of it',
  })

const noPartition = (store: string, partition: number, partitions: number): Fault =>
  new Fault({
    code: 'QUERY_INVALID',
    actor: 'author',
    message: `store '${store}' has no partition ${partition}`,
    remedy: `name one from 0 to ${partitions - 1}`,
  })
