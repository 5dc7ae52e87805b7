import { openMemoryStore } from '../../src/state/open-memory-store.ts'
import type { Subject } from './contract/subject.ts'

export const memorySubject: Subject = {
  name: 'in memory',
  durable: false,
  place: (options = {}) => ({
    open: (definition, changelog) => openMemoryStore(definition, changelog, options),
    restart: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }),
}
