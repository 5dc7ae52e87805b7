import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { openLmdbStores } from '../../src/state/open-lmdb-stores.ts'
import type { Subject } from './contract/subject.ts'

/** A clock that stands still writes nothing before the end; an interval of 0 writes at every commit. */
export const lmdbSubject = (name: string, batchIntervalMs: number): Subject => ({
  name,
  durable: true,
  place: (options = {}) => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-state-'))
    const open = (): ReturnType<typeof openLmdbStores> =>
      openLmdbStores(directory, { ...options, clock: new ManualClock(), batchIntervalMs })
    let stores = open()
    return {
      open: (definition, changelog) => stores.open(definition, changelog),
      restart: async () => {
        await stores.close()
        stores = open()
      },
      close: async () => {
        await stores.close()
        rmSync(directory, { recursive: true })
      },
    }
  },
})
