import type { ChangelogSink, StateStore } from '../state/store.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'

/** Where the stores of one task lie. */
export interface TaskStores {
  open(definition: StoreDefinition, changelog: ChangelogSink): StateStore
  /** Notes that the stores held all of their changelogs at this time. */
  caughtUp(atMs: number): void
  /** Writes what is committed, and lets go of it. */
  close(): Promise<void>
}
