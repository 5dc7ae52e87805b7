import { join } from 'node:path'
import { runToEnd } from '../../test/support/run-process.ts'
import type { PeerOptions } from './peer-options.ts'

/** Makes the input topics where they are missing, in another process, so that a peer's CPU and memory are its own. */
export const ensureInputs = async ({ brokers, records }: PeerOptions): Promise<void> => {
  const script = join(import.meta.dirname, 'load-inputs.ts')
  await runToEnd(process.execPath, [script, '--brokers', brokers, '--records', String(records)], {
    deadlineMs: 10 * 60_000,
  })
}
