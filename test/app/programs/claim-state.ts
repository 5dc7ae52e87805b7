import { claimStateDirectories } from '../../../src/app/state-directory.ts'
import { messageOf } from '../../../src/base/fault.ts'

/** Claims one slot below its argument and prints what came of it. */
await claimStateDirectories(process.argv[2] as string, 1).then(
  ([slot]) => {
    console.log('claimed', slot?.directory)
    slot?.release()
  },
  (error: unknown) => console.log('refused:', messageOf(error)),
)
