import type { StoreDefinition } from '../topology/store-definition.ts'
import type { CacheOptions } from './change-tracker.ts'
import { openStore } from './open-store.ts'
import type { ChangelogSink, StateStore } from './store.ts'
import type { ValueOptions } from './state-store-base.ts'

/** Opens a store that lives in memory; its changelog, if it has one, is what outlasts it. */
export const openMemoryStore = (
  definition: StoreDefinition,
  changelog: ChangelogSink,
  options: CacheOptions & ValueOptions = {},
): StateStore => openStore(definition, { ...options, changelog, disk: undefined })
