import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { ThreadedApplication } from 'millrace'
import { start, startThreads } from 'millrace'
import { topologyOfModule } from '../../src/app/topology-module.ts'

/**
 * One process of `bench/scale.ts`. It begins paused, tells how many tasks it has, goes at `go`, and at `stop` it closes
 * and prints what it took: CPU from `go` on, and the peak of its memory.
 */
const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '' },
    application: { type: 'string', default: '' },
    module: { type: 'string', default: '' },
    threads: { type: 'string', default: '1' },
    'young-generation-mb': { type: 'string' },
  },
})

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

const launch = async (stateDirectory: string): Promise<ThreadedApplication> => {
  const settings = {
    bootstrapServers: values.brokers,
    freezeState: false,
    applicationId: values.application,
    stateDirectory,
    heartbeatIntervalMs: 200,
  }
  const threads = Number(values.threads)
  if (threads > 1) {
    const young = values['young-generation-mb']
    return startThreads({ module: values.module }, settings, {
      threads,
      ...(young === undefined ? {} : { resourceLimits: { maxYoungGenerationSizeMb: Number(young) } }),
    })
  }
  return start(await topologyOfModule({ module: values.module }), settings)
}

const stateDirectory = mkdtempSync(join(tmpdir(), 'millrace-scale-'))
const application = await launch(stateDirectory)
application.pause()
const reporting = setInterval(
  () => say({ state: application.state, tasks: application.tasks.length, failure: application.failure }),
  100,
)
let before = process.cpuUsage()
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'go') {
    clearInterval(reporting)
    before = process.cpuUsage()
    application.resume()
  }
  if (line === 'stop') break
}
const { user, system } = process.cpuUsage(before)
await application.close()
rmSync(stateDirectory, { recursive: true, force: true })
say({ cpuMicros: user + system, peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024) })
process.stdin.destroy()
