import type { Clock } from '../base/clock.ts'
import { sleep } from '../base/clock.ts'
import type { Fault } from '../base/fault.ts'
import { messageOf } from '../base/fault.ts'
import { TimeSlice } from '../base/time-slice.ts'
import type { Cluster } from '../kafka/cluster.ts'
import type { FetchedBatch } from '../kafka/fetch/fetched-batch.ts'
import { Fetcher } from '../kafka/fetcher.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { ChangelogSink, StateStore } from '../state/store.ts'
import type { ApplicationPlan } from './application-plan.ts'
import { partsOfTask } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import type { ChangelogCheck, StoreOrigins } from './changelog-check.ts'
import { changelogOf, copiedStoresOf } from './changelog-sizes.ts'
import type { RuntimeSettings } from './runtime-settings.ts'
import type { TaskStores } from './task-stores.ts'

export interface StandbyTasksOptions {
  readonly planOf: () => ApplicationPlan
  readonly cluster: Cluster
  readonly clock: Clock
  readonly settings: Pick<
    RuntimeSettings,
    'acceptableRecoveryLag' | 'probingRebalanceIntervalMs' | 'checkCrcs' | 'maxPollDurationMs'
  >
  readonly check: ChangelogCheck
  readonly openTaskStores: (task: TaskId, origins: StoreOrigins) => TaskStores
  /** Tasks may be able to move: a copy that was made for it is complete, or it has been long. */
  readonly onRebalance: (reason: string) => void
  /** A copy is not kept up to date any more; its stores stand at these offsets. */
  readonly onEnd: (task: TaskId, offsets: ReadonlyMap<string, number>) => void
  readonly onWarning: (message: string) => void
}

interface Copy {
  readonly stores: TaskStores
  readonly byPlace: ReadonlyMap<string, { readonly store: StateStore; readonly place: TopicPartition }>
  readonly epoch: number
  isWarmup: boolean
}

/**
 * Copies of the state of tasks that run elsewhere, kept up to date from their changelogs: committed records only, in the
 * background, with at most a third of the time. A copy lies where the task itself would have its state, so a task that
 * begins here goes on from it and restores only the tail, and one that ends here leaves it behind.
 */
export class StandbyTasks {
  readonly #options: StandbyTasksOptions
  readonly #fetcher: Fetcher
  readonly #slice: TimeSlice
  readonly #copies = new Map<TaskId, Copy>()
  /** Copies that are about to begin, by whether they are warm-ups. */
  readonly #beginning = new Map<TaskId, { isWarmup: boolean }>()
  readonly #places = new Map<
    string,
    { readonly id: TaskId; readonly store: StateStore; readonly epoch: number }
  >()
  #isFollowing = false
  #cancelProbing: (() => void) | undefined
  #epoch = 0

  constructor(options: StandbyTasksOptions) {
    this.#options = options
    this.#slice = new TimeSlice(options.clock, options.settings.maxPollDurationMs)
    this.#fetcher = new Fetcher({
      cluster: options.cluster,
      name: 'standby',
      offsetReset: 'earliest',
      isolation: 'read_committed',
      onReset: (fault) => this.#reset(fault),
      maxBufferedBytes: 1_048_576,
      checkCrcs: options.settings.checkCrcs,
    })
  }

  /** By how many records each copy is behind. */
  get lags(): ReadonlyMap<TaskId, number> {
    return new Map(Array.from(this.#copies, ([id, copy]) => [id, this.#lagOf(copy)]))
  }

  /** The tasks of which there is a copy, or will be. */
  get ids(): readonly TaskId[] {
    return [...this.#copies.keys(), ...this.#beginning.keys()]
  }

  /** The copy of a store, to read from; undefined where there is none. */
  store(name: string, partition: number): StateStore | undefined {
    for (const [id, { byPlace }] of this.#copies)
      if (partsOfTask(id).partition === partition)
        for (const { store } of byPlace.values()) if (store.name === name) return store
    return undefined
  }

  /** Ends the copies that are not wanted any more, such as those whose task begins here. What they hold stays. */
  async keep(wanted: readonly TaskId[]): Promise<void> {
    const kept = new Set(wanted)
    for (const id of this.#beginning.keys()) if (!kept.has(id)) this.#beginning.delete(id)
    await Promise.all([...this.#copies.keys()].filter((id) => !kept.has(id)).map((id) => this.#end(id)))
  }

  /** Begins the copies that are missing. Their tasks must not run here. */
  follow(standbys: readonly TaskId[], warmups: readonly TaskId[]): void {
    for (const id of [...standbys, ...warmups]) {
      const known = this.#copies.get(id) ?? this.#beginning.get(id)
      if (known === undefined) void this.#tryToBegin(id, warmups.includes(id))
      else known.isWarmup ||= warmups.includes(id)
    }
    this.#cancelProbing?.()
    if (warmups.length > 0) this.#cancelProbing = this.#probeLater()
  }

  async close(): Promise<void> {
    this.#cancelProbing?.()
    this.#fetcher.close()
    await this.keep([])
  }

  /** Without a copy everything goes on as well, only a takeover takes longer. */
  async #tryToBegin(id: TaskId, isWarmup: boolean): Promise<void> {
    const { check, planOf } = this.#options
    if (copiedStoresOf(planOf(), id).length === 0) return
    const beginning = { isWarmup }
    this.#beginning.set(id, beginning)
    try {
      const origins = await check.prepare(id)
      while (this.#slice.check()) await this.#slice.next()
      if (this.#beginning.get(id) !== beginning) return
      this.#beginning.delete(id)
      this.#begin(id, beginning.isWarmup, origins)
      if (!this.#isFollowing) void this.#run()
    } catch (error) {
      if (this.#beginning.get(id) === beginning) this.#beginning.delete(id)
      this.#options.onWarning(`no copy of task ${id} can be kept: ${messageOf(error)}`)
    }
  }

  #begin(id: TaskId, isWarmup: boolean, origins: StoreOrigins): void {
    const plan = this.#options.planOf()
    const definitions = copiedStoresOf(plan, id)
    const stores = this.#options.openTaskStores(id, origins)
    const opened = definitions.map((definition) => {
      const place = changelogOf(plan, id, definition)
      const store = stores.open(definition, noChangelog)
      return [partitionName(place.topic, place.partition), { store, place }] as const
    })
    const copy: Copy = { stores, byPlace: new Map(opened), epoch: ++this.#epoch, isWarmup }
    this.#copies.set(id, copy)
    for (const [name, { store }] of opened) this.#places.set(name, { id, store, epoch: copy.epoch })
    this.#fetcher.add(
      opened.map(([, { store, place }]) => ({ ...place, offset: store.changelogOffset() })),
      copy.epoch,
    )
  }

  async #end(id: TaskId): Promise<void> {
    const copy = this.#copies.get(id)
    if (copy === undefined) return
    this.#copies.delete(id)
    for (const name of copy.byPlace.keys()) this.#places.delete(name)
    this.#fetcher.remove([...copy.byPlace.values()].map(({ place }) => place))
    if (this.#copies.size === 0) this.#fetcher.wakeup()
    const stores = [...copy.byPlace.values()].map(({ store }) => store)
    this.#options.onEnd(id, new Map(stores.map((store) => [store.name, store.changelogOffset()])))
    for (const store of stores) store.close()
    await copy.stores.close()
  }

  async #run(): Promise<void> {
    const { clock, onWarning } = this.#options
    this.#isFollowing = true
    while (this.#copies.size > 0)
      try {
        for (const batch of await this.#fetcher.poll(pollWaitMs)) await this.#take(batch)
        this.#noteCaughtUp()
        this.#reportWarm()
      } catch (error) {
        onWarning(`copies of state can't be kept up to date: ${messageOf(error)}`)
        await sleep(clock, pollWaitMs)
      }
    this.#isFollowing = false
  }

  /** Applies a batch, and leaves others twice the time that it took. */
  async #take({ topic, partition, generation, columns, logStartOffset }: FetchedBatch): Promise<void> {
    const { clock } = this.#options
    const place = this.#places.get(partitionName(topic, partition))
    if (place?.epoch !== generation) return
    const changelogOffset = place.store.changelogOffset()
    if (changelogOffset > 0 && changelogOffset < logStartOffset) return this.#restart(place.id)
    const beganMs = clock.monotonicMs()
    try {
      place.store.restore(columns)
    } catch (error) {
      this.#options.onWarning(`the copy of task ${place.id} ends: ${messageOf(error)}`)
      await this.#end(place.id)
    }
    await sleep(clock, 2 * (clock.monotonicMs() - beganMs))
  }

  #reset({ code, place: { topic, partition } }: Fault): void {
    if (code !== 'TOPIC_RECREATED' || topic === undefined || partition === undefined) return
    const place = this.#places.get(partitionName(topic, partition))
    if (place !== undefined) void this.#restart(place.id)
  }

  /** What lies between the copy and the start of its changelog is gone; the check sets the copy aside. */
  async #restart(id: TaskId): Promise<void> {
    const isWarmup = this.#copies.get(id)?.isWarmup ?? false
    await this.#end(id)
    await this.#tryToBegin(id, isWarmup)
  }

  #noteCaughtUp(): void {
    const nowMs = this.#options.clock.now()
    for (const copy of this.#copies.values()) if (this.#lagOf(copy) === 0) copy.stores.caughtUp(nowMs)
  }

  #probeLater(): () => void {
    const { clock, settings, onRebalance } = this.#options
    return clock.setTimer(() => onRebalance('state is still built up'), settings.probingRebalanceIntervalMs)
  }

  #reportWarm(): void {
    for (const [id, copy] of this.#copies) {
      if (!copy.isWarmup || this.#lagOf(copy) > this.#options.settings.acceptableRecoveryLag) continue
      copy.isWarmup = false
      this.#options.onRebalance(`the state of task ${id} is complete`)
    }
  }

  /** Where nothing is known yet, it is behind by more than anybody would accept. */
  #lagOf({ byPlace }: Copy): number {
    let lag = 0
    for (const { place } of byPlace.values())
      lag += this.#fetcher.lag(place.topic, place.partition) ?? Number.MAX_SAFE_INTEGER
    return Math.min(lag, Number.MAX_SAFE_INTEGER)
  }
}

const pollWaitMs = 500

const noChangelog: ChangelogSink = { append: () => {} }
