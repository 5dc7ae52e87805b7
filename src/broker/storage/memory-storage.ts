import { copyBytes, type Bytes } from '../../base/bytes.ts'
import type { JournalEntry, LogToOpen, OpenedLog, Storage } from './storage.ts'

/**
 * A data directory that lives in memory: what a simulated broker finds again after its crash. To crash one, close it
 * (its clocks stop, nothing more is written) and make the next on the same storage.
 *
 * @example
 * const storage = memoryStorage()
 * createBrokerCore({ storage }).close()
 * const after = createBrokerCore({ storage }) // has what the first had
 */
export const memoryStorage = (): Storage => {
  let journal: JournalEntry[] = []
  const logs = new Map<string, Bytes[]>()
  const openLog = ({ topic, partition, isNew }: LogToOpen): OpenedLog => {
    const name = `${topic}-${partition}`
    const batches = (isNew ? undefined : logs.get(name)) ?? []
    logs.set(name, batches)
    return {
      recovered: [...batches],
      journal: { append: (batch) => void batches.push(copyBytes(batch)), close: () => undefined },
    }
  }
  return {
    recover: () => [...journal],
    setUnknownLogsAside: () => undefined,
    rewrite: (entries) => {
      journal = [...entries]
    },
    record: (entry) => void journal.push(entry),
    openLog,
    deleteLog: (topic, partition) => void logs.delete(`${topic}-${partition}`),
    close: () => undefined,
  }
}
