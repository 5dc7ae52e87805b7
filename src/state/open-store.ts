import { unreachable } from '../base/assert.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import { MemoryJoinWindowStore } from './join-window-store.ts'
import { PlainStore, TimestampedStore } from './key-value-store.ts'
import { MemorySessionStore } from './session-store.ts'
import type { StateStore } from './store.ts'
import type { StoreContext } from './state-store-base.ts'
import { VersionedRows } from './versioned-store.ts'
import { MemoryWindowStore } from './window-store.ts'

/** The store a definition asks for, in memory or as a cache over a disk. */
export const openStore = (definition: StoreDefinition, context: StoreContext): StateStore => {
  switch (definition.kind) {
    case 'keyValue':
      return definition.timestamped
        ? new TimestampedStore(definition, context)
        : new PlainStore(definition, context)
    case 'versioned':
      return new VersionedRows(definition, context)
    case 'window':
      return new MemoryWindowStore(definition, context)
    case 'joinWindow':
      return new MemoryJoinWindowStore(definition, context)
    case 'session':
      return new MemorySessionStore(definition, context)
    default:
      return unreachable(definition)
  }
}
