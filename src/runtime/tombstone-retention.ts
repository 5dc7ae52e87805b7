import { sleep } from '../base/clock.ts'
import { Admin } from '../kafka/admin.ts'
import type { Cluster } from '../kafka/cluster.ts'

/**
 * How long a topic keeps a deletion at least, so that a reader in that time sees the deletion: its
 * `delete.retention.ms` where it is compacted. A topic that is not compacted never drops one record of a key alone.
 */
export class TombstoneRetention {
  readonly #cluster: Cluster
  readonly #known = new Map<string, { readonly retentionMs: Promise<number>; readonly sinceMs: number }>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Kafka's default where the broker does not say in time, or the rights are missing to ask. */
  of(topic: string): Promise<number> {
    const { clock } = this.#cluster
    const known = this.#known.get(topic)
    if (known !== undefined && clock.monotonicMs() - known.sinceMs < cacheMs) return known.retentionMs
    const late = new AbortController()
    const retentionMs = Promise.race([
      this.#read(topic).catch(() => defaultMs),
      sleep(clock, timeoutMs, late.signal).then(() => defaultMs),
    ]).finally(() => late.abort())
    this.#known.set(topic, { retentionMs, sinceMs: clock.monotonicMs() })
    return retentionMs
  }

  async #read(topic: string): Promise<number> {
    const configs = await new Admin(this.#cluster).describeConfigs(topic)
    const valueOf = (wanted: string): string | null | undefined =>
      configs.find(({ name }) => name === wanted)?.value
    if (valueOf('cleanup.policy')?.includes('compact') === false) return Infinity
    const retention = valueOf('delete.retention.ms')
    return retention === null || retention === undefined ? defaultMs : Number(retention)
  }
}

const defaultMs = 86_400_000
const timeoutMs = 5_000
const cacheMs = 60_000
