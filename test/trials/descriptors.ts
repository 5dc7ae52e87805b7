import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { runToEnd } from '../support/run-process.ts'
import type { Trial } from './trial.ts'

const program = join(import.meta.dirname, '../app/programs/few-descriptors.ts')
const partitions = 150
/** Below what 150 tasks need, several limits ended the process by a segmentation fault, others damaged healthy state. */
const tooFew = [64, 128, 200, 250, 300, 400, 450, 480]
const enough = 600

/** An application of many tasks under limits of open files that are too low, and one that is enough, over one directory. */
export const trial: Trial = {
  name: 'descriptors',
  finding: 'a process that has fewer file descriptors than its tasks need',
  bound: 'refused with the numbers, no crash, no healthy state set aside; runs with enough',
  needs: 'own',
  run: async ({ directory, log }) => {
    const state = join(directory, 'state')
    mkdirSync(state)
    const wrong: string[] = []
    for (const limit of [enough, ...tooFew, enough]) {
      const script = `ulimit -n ${limit} && exec "$1" "$2" "$3" ${partitions}`
      const args = ['-c', script, 'sh', process.execPath, program, state]
      const { stdout } = await runToEnd('sh', args, { deadlineMs: 120_000 })
      const wanted = limit === enough ? `running ${partitions} tasks` : 'failed DESCRIPTORS_EXHAUSTED'
      const isRight = stdout.startsWith(wanted) && stdout.includes('damaged: 0')
      log(`${limit} descriptors: ${stdout.split('\n', 1)[0]}`)
      if (!isRight) wrong.push(`${limit}: ${stdout.slice(0, 80)}`)
    }
    return {
      passed: wrong.length === 0,
      measured: `${partitions} tasks, ${tooFew.length} limits from ${tooFew[0]} to ${tooFew.at(-1)} refused, ${wrong.length === 0 ? 'none crashed' : wrong.join('; ')}`,
    }
  },
}
