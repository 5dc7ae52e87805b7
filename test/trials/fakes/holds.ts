import { readdirSync } from 'node:fs'
import type { Trial } from '../trial.ts'

/** A bound that holds; it reports what the runner gave it. */
export const trial: Trial = {
  name: 'holds',
  finding: 'nothing is wrong',
  bound: 'an empty directory and a broker',
  needs: 'embedded',
  run: ({ brokers, directory, log }) => {
    log('holds: running')
    return Promise.resolve({
      passed: readdirSync(directory).length === 0,
      measured: `broker ${brokers.split(':')[0]}, process ${process.pid}`,
    })
  },
}
