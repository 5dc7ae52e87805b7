import { start } from 'millrace'
import { chaosTopology } from '../chaos/topology.ts'
import type { MemberSettings, Telling } from '../chaos/telling.ts'

/** One process of the group under chaos. It tells what it goes through as a line of JSON each, until SIGTERM. */
const settings = JSON.parse(process.argv[2] as string) as MemberSettings

const tell = (telling: Telling): void =>
  void process.stdout.write(`${JSON.stringify({ atMs: Date.now(), ...telling })}\n`)

const application = await start(chaosTopology, settings, {
  onState: (state) => tell({ kind: 'state', state, tasks: tasksNow() }),
  onWarning: (message) => tell({ kind: 'warning', message }),
  onRestore: (progress) => {
    const isEnd = progress.remainingRecords === 0
    if (isEnd || progress.restoredRecords === 0) tell({ kind: 'restore', ...progress })
  },
})

/** The first states come before there is an application to ask. */
function tasksNow(): readonly string[] {
  try {
    return application.tasks
  } catch {
    return []
  }
}

process.once('SIGTERM', () => void application.close())
for (const state of ['closed', 'failed'] as const)
  application.waitFor(state).then(
    () => end(state),
    () => undefined,
  )

const end = (state: 'closed' | 'failed'): void => {
  const { failure } = application
  if (state === 'failed')
    tell({ kind: 'failure', code: String((failure as { code?: unknown }).code), message: String(failure) })
  process.exit(state === 'closed' ? 0 : 1)
}
