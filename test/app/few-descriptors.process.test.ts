import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runToEnd } from '../support/run-process.ts'

const program = join(import.meta.dirname, 'programs/few-descriptors.ts')

it.skipIf(process.platform !== 'linux')(
  'an application with too few file descriptors for its tasks says so before it opens one',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-descriptors-'))
    const args = ['-c', 'ulimit -n 100 && exec "$1" "$2" "$3" 30', 'sh', process.execPath, program, folder]
    const { stdout } = await runToEnd('sh', args, { deadlineMs: 60_000 })
    expect(stdout).toMatch(/^failed DESCRIPTORS_EXHAUSTED: .*may have 100 open files.*30 more tasks takes 90/)
    expect(stdout).toContain('damaged: 0')
    rmSync(folder, { recursive: true })
  },
  90_000,
)
