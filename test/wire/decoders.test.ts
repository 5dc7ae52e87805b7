import { describe, expect, it } from 'vitest'
import { checkDecoder } from '../support/fuzz/check-decoder.ts'
import { decoders } from '../support/fuzz/decoders.ts'

/** `npm run trials -- --only hostile-bytes` runs the same for longer, and with other seeds. */
const runs = { runs: 60, seed: 1_700_000_000, bounds: { timeMs: 500, memoryBytes: 64 * 1024 * 1024 } }

describe('bytes of strangers end in a value or an error, soon and in little memory', () => {
  it.for(decoders)('$name', (decoder) => {
    expect(checkDecoder(decoder, runs).timeMs).toBeLessThan(500)
  })
})
