import { setImmediate } from 'node:timers/promises'
import { checkDecoder } from '../support/fuzz/check-decoder.ts'
import type { WorstCall } from '../support/fuzz/check-decoder.ts'
import { decoders } from '../support/fuzz/decoders.ts'
import type { Trial } from './trial.ts'

const durationMs = 120_000
const runs = 100
const bounds = { timeMs: 500, memoryBytes: 64 * 1024 * 1024 }

/** The test of the decoders (test/wire/decoders.test.ts) for longer, with a seed of its own for each round. */
export const trial: Trial = {
  name: 'hostile-bytes',
  finding: 'truncated, inflated and lying bytes of brokers, members of the group, clients and rows',
  bound: 'every decoder returns or throws, in under 500 ms and 64 MB a message',
  needs: 'own',
  run: async ({ log, signal }) => {
    const endMs = performance.now() + durationMs
    const worst: WorstCall = { timeMs: 0, memoryBytes: 0 }
    let messages = 0
    for (let seed = Date.now() & 0x7fff_ffff; performance.now() < endMs && !signal.aborted; seed++) {
      for (const decoder of decoders) {
        const call = checkDecoder(decoder, { runs, seed, bounds })
        worst.timeMs = Math.max(worst.timeMs, call.timeMs)
        worst.memoryBytes = Math.max(worst.memoryBytes, call.memoryBytes)
        messages += runs
        await setImmediate()
      }
      log(`seed ${seed}: ${messages} messages so far`)
    }
    const megabytes = (worst.memoryBytes / 1024 / 1024).toFixed(1)
    const measured = `${messages} messages to ${decoders.length} decoders: at most ${worst.timeMs.toFixed(0)} ms and ${megabytes} MB each`
    return { passed: true, measured }
  },
}
